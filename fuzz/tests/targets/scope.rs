//! Scopes: what is read reads as itself, has no repetition, and is bounded.

use std::collections::HashSet;

use protocol::Scope;

#[test]
fn a_scope_reads_as_itself_and_is_bounded() {
    let seeds: [&[u8]; 4] = [
        b"openid profile email read:orders",
        b"  b   a b ",
        b"a\tb",
        b"https://api.example.com/read !x",
    ];
    fuzz::check(&seeds, |input| {
        let Ok(text) = std::str::from_utf8(input) else {
            return;
        };
        if let Ok(scope) = Scope::parse(text) {
            let items: Vec<&str> = scope.iter().collect();
            assert!(items.len() <= 200);
            assert_eq!(items.iter().collect::<HashSet<_>>().len(), items.len());
            assert!(
                items
                    .iter()
                    .all(|item| text.split(' ').any(|sent| sent == *item))
            );
            assert_eq!(Scope::parse(&scope.to_string()), Ok(scope));
        }
    });
}
