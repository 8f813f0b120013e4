//! Fuzzed: settings that are accepted hold the promises of `check`, and read as themselves.

use super::*;

fn from(provider: impl Provider) -> Option<Settings> {
    let figment = Figment::from(Serialized::defaults(Settings::default())).merge(provider);
    check(figment.extract().ok()?).ok()
}

#[test]
fn accepted_settings_hold_what_is_promised_and_read_as_themselves() {
    let seeds: [&[u8]; 5] = [
        b"[server]\nlisten = [\"127.0.0.1:8443\", \"[::1]:8443\"]\ntrusted_proxies = [\"10.0.0.0/8\", \"fd00::/8\"]\n",
        b"[server]\npublic_url = \"https://id.example.com/\"\nheader_timeout_seconds = 3\nmax_connections = 100\n",
        b"[argon2]\nmemory_kib = 19456\npasses = 2\nimplementation = \"rustcrypto\"\n[hashing]\nworkers = 2\nqueue = 10\n",
        b"[database]\nurl = \"postgres://localhost/x\"\n[server]\nroot_key_file = \"key\"\n[metrics]\nlisten = \"127.0.0.1:0\"\n",
        b"server.body_timeout_seconds = 20\nserver.trusted_proxies = [\"0.0.0.0/0\"]\n",
    ];
    fuzz::check(&seeds, |input| {
        let Ok(text) = std::str::from_utf8(input) else {
            return;
        };
        let Some(settings) = from(Toml::string(text)) else {
            return;
        };
        let server = &settings.server;
        assert!(
            server
                .trusted_proxies
                .iter()
                .all(|net| net.prefix_len() > 0)
        );
        assert!(server.max_connections > 0 && !server.listen.is_empty());
        assert!((1..=120).contains(&server.header_timeout_seconds));
        assert!((1..=20).contains(&server.body_timeout_seconds));
        assert!(settings.argon2.memory_kib >= 8 && settings.argon2.passes >= 1);
        let again = from(Serialized::defaults(&settings)).map(|again| serde_json::json!(again));
        assert_eq!(again, Some(serde_json::json!(settings)));
    });
}
