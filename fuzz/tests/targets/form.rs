//! Form bodies: what is read stays within its bounds and is what another reader of the same bytes sees.

use protocol::Parameters;

use crate::token_request::{NAMES, within_bounds};

const FORM: &str = "application/x-www-form-urlencoded";

#[test]
fn a_form_is_read_as_others_read_it_or_refused() {
    let seeds: [&[u8]; 5] = [
        b"grant_type=password&username=ana%40example.com&password=p%2Bw+x&client_id=shop&client_secret=s&scope=openid+email",
        b"grant_type=http%3A%2F%2Fauth0.com%2Foauth%2Fgrant-type%2Fpassword-realm&realm=Users&username=%C3%A9&password=x",
        b"grant_type=client_credentials&audience=https%3A%2F%2Fapi.example.com%2F&client_id=a",
        b"&&a==b&=&username",
        b"username=a&username=b",
    ];
    fuzz::check(&seeds, |input| {
        let Ok(parameters) = Parameters::parse(Some(FORM), input) else {
            return;
        };
        within_bounds(&parameters);
        let theirs: Vec<(String, String)> = form_urlencoded::parse(input).into_owned().collect();
        for name in NAMES {
            let sent = theirs.iter().filter(|(known, _)| known == name);
            let values: Vec<&str> = sent.map(|(_, value)| value.as_str()).collect();
            let read = parameters.get(name).unwrap_or_default();
            assert_eq!(values.first().copied().unwrap_or_default(), read, "{name}");
            assert!(values.len() <= 1, "{name} was sent {} times", values.len());
        }
    });
}
