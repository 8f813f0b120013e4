//! Fuzzed: a host that is read is plain, bounded, and reads as itself.

use super::*;

#[test]
fn a_host_is_plain_and_reads_as_itself() {
    let seeds: [&[u8]; 5] = [
        b"Login.Example.com:8443",
        b"[2001:db8::1]:443",
        b"localhost",
        b"root@localhost/path?x#y",
        b"a.b_c-d:65536",
    ];
    fuzz::check(&seeds, |input| {
        let Ok(text) = std::str::from_utf8(input) else {
            return;
        };
        if let Some(read) = host(text) {
            let port = if text.ends_with(":443") { ":443" } else { "" };
            assert_eq!(format!("{read}{port}"), text.to_ascii_lowercase());
            assert_eq!(host(&read).as_ref(), Some(&read));
            assert!(!read.is_empty() && read.len() <= 261);
            assert!(!read.contains(['@', '/', '?', '#', '%', ' ', ',', '\\', '\0']));
            assert!(format!("https://{read}/").parse::<http::Uri>().is_ok());
        }
    });
}
