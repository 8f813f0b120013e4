//! Stored password hashes: what is read costs no more than allowed, keeps its text, and names its format.

use credentials::{PasswordHash, Scheme};

#[test]
fn a_hash_that_is_read_has_a_bounded_cost() {
    let seeds: [&[u8]; 4] = [
        b"$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$cpx6VEQbwTVZvcpxNIxOVUWZ5xnAipUmAe1cg2GMG70",
        b"$argon2id$v=19$m=1048576,t=64,p=16$c29tZXNhbHQ$cpx6VEQbwTVZvcpxNIxOVUWZ5xnAipUmAe1cg2GMG70",
        b"$2b$10$abcdefghijklmnopqrstuuW5b1OKsjJ5CSYwVyBxcqpqCbJbLtqNW",
        b"$2y$04$abcdefghijklmnopqrstuuW5b1OKsjJ5CSYwVyBxcqpqCbJbLtqNW",
    ];
    fuzz::check(&seeds, |input| {
        let Ok(text) = std::str::from_utf8(input) else {
            return;
        };
        let Ok(hash) = PasswordHash::parse(text) else {
            return;
        };
        assert_eq!(hash.as_str(), text);
        assert_eq!(hash.scheme().to_string().parse(), Ok(hash.scheme()));
        assert!(text.len() < 300, "a bounded row");
        match hash.scheme() {
            Scheme::Argon2id {
                memory_kib,
                passes,
                lanes,
            } => {
                assert!(
                    memory_kib <= 1 << 20
                        && (1..=64).contains(&passes)
                        && (1..=16).contains(&lanes)
                );
            }
            Scheme::Bcrypt { cost } => assert!((4..=16).contains(&cost)),
        }
    });
}
