//! Lists of blocks, as far as the Management API decides them; what a block does is told under `protection`.

use serde_json::json;
use testkit::{Attacker, World, on_both_engines};

const ANA: &str = "ana@example.com";

on_both_engines! {
    async fn blocks_of_unprotected_directories_can_be_left_out(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(ANA).await;
        Attacker::at(&backend, "192.0.2.1").guesses(ANA, 10).await;
        let admin = world.admin().await;
        let (all, enabled) = ("user-blocks?identifier=ana%40example.com", "user-blocks?identifier=ana%40example.com&consider_brute_force_enablement=true");
        let count = async |path: &str| admin.get(path).await.expect(200).json()["blocked_for"].as_array().unwrap().len();
        assert_eq!((count(all).await, count(enabled).await), (1, 1));
        let off = json!({"options": {"brute_force_protection": false}});
        admin.patch(&format!("connections/{}", backend.connection_id), off).await.expect(200);
        assert_eq!((count(all).await, count(enabled).await), (1, 0));
    }

    async fn users_and_addresses_must_be_given(world: World) {
        let admin = world.admin().await;
        for path in ["user-blocks", "user-blocks?identifier="] {
            assert_eq!(admin.get(path).await.expect(400).text_of("errorCode"), "invalid_query_string", "{path}");
            admin.delete(path).await.expect(400);
        }
        for path in ["user-blocks/auth0%7Cnobody", "user-blocks/nobody"] {
            assert_eq!(admin.get(path).await.expect(404).text_of("errorCode"), "inexistent_user", "{path}");
            admin.delete(path).await.expect(404);
        }
        for path in ["anomaly/blocks/ips/not-an-address", "anomaly/blocks/ips/192.0.2.1%2F24"] {
            assert_eq!(admin.get(path).await.expect(400).text_of("errorCode"), "invalid_uri", "{path}");
        }
        let free = admin.get("anomaly/blocks/ips/192.0.2.1").await.expect(404).json();
        assert_eq!(free, json!({"statusCode": 404, "error": "Not Found", "message": "Not Found"}));
        admin.delete("anomaly/blocks/ips/192.0.2.1").await.expect(204);
    }
}
