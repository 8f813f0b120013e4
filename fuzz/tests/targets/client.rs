//! Client authentication: whoever is read from a Basic header is who the header says, written again.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use protocol::{Parameters, PresentedClient, PresentedSecret};

#[test]
fn a_client_read_from_a_header_is_the_one_in_it() {
    let body =
        |text: &[u8]| Parameters::parse(Some("application/x-www-form-urlencoded"), text).unwrap();
    let bodies = [
        body(b""),
        body(b"client_id=shop"),
        body(b"client_id=shop&client_secret=x"),
    ];
    let encoded = STANDARD.encode("shop:s%3Acr+et");
    let basic = format!("Basic {encoded}");
    let lower = format!("basic   {encoded} ");
    let seeds = [
        basic.as_bytes(),
        lower.as_bytes(),
        b"Bearer x",
        b"Basic Og==",
        b"Basic",
    ];
    fuzz::check(&seeds, |input| {
        let Ok(header) = std::str::from_utf8(input) else {
            return;
        };
        for parameters in &bodies {
            let Ok(client) = PresentedClient::read(Some(header), parameters) else {
                continue;
            };
            let id = client.id().as_str();
            assert!(!id.is_empty() && id.chars().count() <= 256, "{id:?}");
            assert!(parameters.get("client_id").is_none_or(|other| other == id));
            if let PresentedSecret::Basic(secret) = client.presented_secret() {
                let secret = secret.expose();
                assert!(
                    parameters.get("client_secret").is_none(),
                    "two ways at once"
                );
                assert!(!secret.is_empty() && secret.len() <= 1_024);
                assert!(!id.contains(char::is_control) && !secret.contains(char::is_control));
                let escaped = |text: &str| text.replace('%', "%25").replace(':', "%3a");
                let again = STANDARD.encode(format!("{}:{}", escaped(id), escaped(secret)));
                let read = PresentedClient::read(Some(&format!("Basic {again}")), parameters);
                assert_eq!(read, Ok(client));
            }
        }
    });
}
