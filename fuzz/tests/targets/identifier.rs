//! Identifiers: normalising is stable, does not depend on case, and cannot blow up.

use model::Identifier;

#[test]
fn normalising_is_stable_and_bounded() {
    let seeds: [&[u8]; 6] = [
        b"Ana@Example.com ",
        "ＡＮＡ@example.com".as_bytes(),
        "straße@example.com".as_bytes(),
        "e\u{301}va\u{345}@example.com".as_bytes(),
        "\u{130}\u{1f88}\u{fdfa}\u{fb03}".as_bytes(),
        "\u{202e}\u{200b}\u{2066}\u{1f468}\u{200d}\u{1f469}".as_bytes(),
    ];
    fuzz::check(&seeds, |input| {
        let Ok(typed) = std::str::from_utf8(input) else {
            return;
        };
        let once = Identifier::of(typed);
        assert_eq!(Identifier::of(once.as_str()), once);
        assert_eq!(Identifier::of(&format!(" {typed}\t")), once);
        assert_eq!(
            Identifier::of(&typed.to_ascii_uppercase()),
            Identifier::of(&typed.to_ascii_lowercase())
        );
        assert_eq!(once.as_str().trim(), once.as_str());
        // U+FDFA becomes 18 characters, and folding makes at most three of one.
        assert!(once.as_str().chars().count() <= typed.chars().count() * 18 * 3);
        if once.looks_like_email() {
            assert!(
                once.as_str().matches('@').count() == 1
                    && !once.as_str().contains(char::is_whitespace)
            );
        }
    });
}
