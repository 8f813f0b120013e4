//! Applications, users, counts and tokens of one tenant mean nothing in another.

use axum::body::Body;
use http::Request;
use serde_json::{Value, json};
use testkit::{PASSWORD, World, on_both_engines};

const ANA: &str = "ana@example.com";
const OTHER_PASSWORD: &str = "Another-Horse-8-Battery";

on_both_engines! {
    async fn an_application_is_nobody_at_another_tenant(world: World) {
        let other = world.neighbour("other").await;
        let (ours, theirs) = (world.backend(true).await, other.backend(true).await);
        theirs.add_user(ANA).await;
        for grant in ["password", "client_credentials"] {
            let call = theirs.login(ANA, PASSWORD).with("grant_type", grant);
            let stranger = call.clone().with("client_id", "nobody").with("client_secret", "x").send().await;
            let foreign = call.with("client_id", ours.client_id.clone()).with("client_secret", ours.client_secret.clone());
            let foreign = foreign.send().await.expect(401);
            assert_eq!((foreign.status, foreign.json()), (stranger.status, stranger.json()), "{grant}");
        }
    }

    async fn a_user_is_nobody_at_another_tenant(world: World) {
        let other = world.neighbour("other").await;
        let (ours, theirs) = (world.backend(true).await, other.backend(true).await);
        ours.add_user(ANA).await;
        let foreign = theirs.login_right(ANA, "192.0.2.1").await.expect(403);
        let stranger = theirs.login_right("nobody@example.com", "192.0.2.1").await;
        assert_eq!((foreign.status, foreign.json()), (stranger.status, stranger.json()));
        assert_eq!(other.admin().await.events("fu").await.len(), 2, "both are unknown to the log as well");
    }

    async fn a_user_and_his_counts_stay_in_their_tenant(world: World) {
        let other = world.neighbour("other").await;
        let (ours, theirs) = (world.backend(true).await, other.backend(true).await);
        ours.add_user(ANA).await;
        let body = json!({"connection": "Users", "email": ANA, "password": OTHER_PASSWORD});
        let theirs_ana = other.admin().await.post("users", body).await.expect(201).text_of("user_id");

        // The passwords are not the same, nor are the users.
        ours.login_right(ANA, "192.0.2.1").await.expect(200);
        theirs.login_right(ANA, "192.0.2.1").await.expect(403);
        theirs.login(ANA, OTHER_PASSWORD).end_user("192.0.2.1").send().await.expect(200);

        for _ in 0..10 {
            ours.login_wrong(ANA, "192.0.2.2").await.expect(403);
        }
        ours.login_right(ANA, "192.0.2.2").await.expect(429);
        theirs.login(ANA, OTHER_PASSWORD).end_user("192.0.2.2").send().await.expect(200);

        let (admin, their_admin) = (world.admin().await, other.admin().await);
        let blocks = "user-blocks?identifier=ana%40example.com";
        assert_eq!(admin.get(blocks).await.expect(200).json()["blocked_for"].as_array().unwrap().len(), 1);
        assert_eq!(their_admin.get(blocks).await.expect(200).json()["blocked_for"], json!([]));
        // Lifting it at the wrong tenant lifts nothing.
        their_admin.delete(blocks).await.expect(204);
        their_admin.delete("anomaly/blocks/ips/192.0.2.2").await.expect(204);
        ours.login_right(ANA, "192.0.2.2").await.expect(429);
        assert!(their_admin.events("limit_wc").await.is_empty());
        assert!(admin.events("sepft").await.iter().all(|event| event["user_id"] != json!(theirs_ana)));
    }

    async fn a_token_is_good_for_its_tenant_alone(world: World) {
        let other = world.neighbour("other").await;
        let ours = world.backend(true).await;
        ours.add_user(ANA).await;
        let signed = ours.login(ANA, PASSWORD).with("scope", "openid read:orders").send().await.expect(200).text_of("access_token");
        let opaque = ours.login(ANA, PASSWORD).with("scope", "openid").with("audience", Value::Null).send().await.expect(200).text_of("access_token");
        for token in [signed, opaque] {
            for (world, status) in [(&world, 200), (&other, 401)] {
                let request = Request::get("/userinfo").header("host", world.domain()).header("authorization", format!("Bearer {token}"));
                world.send("192.0.2.1", request.body(Body::empty()).unwrap()).await.expect(status);
            }
        }
        let keys = async |world: &World| {
            let request = Request::get("/.well-known/jwks.json").header("host", world.domain());
            world.send("192.0.2.1", request.body(Body::empty()).unwrap()).await.expect(200).json()["keys"][0]["n"].clone()
        };
        assert_ne!(keys(&world).await, keys(&other).await);
    }

    async fn failures_at_one_tenant_leave_the_other_ones_log_whole(world: World) {
        let other = world.neighbour("other").await;
        let (ours, theirs) = (world.backend(true).await, other.backend(true).await);
        // One address writes a bounded number of such events; the two tenants' applications share an address here.
        for _ in 0..30 {
            ours.login(ANA, PASSWORD).with("client_secret", "x").send().await.expect(401);
        }
        assert!(world.admin().await.events("fepft").await.len() < 30, "the bound was reached");
        theirs.login(ANA, PASSWORD).with("client_secret", "x").send().await.expect(401);
        assert_eq!(other.admin().await.events("fepft").await.len(), 1);
    }

    async fn a_source_that_is_throttled_at_one_tenant_is_free_at_the_other(world: World) {
        let other = world.neighbour("other").await;
        let (ours, theirs) = (world.backend(true).await, other.backend(true).await);
        ours.add_user(ANA).await;
        theirs.add_user(ANA).await;
        let few = json!({"stage": {"pre-login": {"max_attempts": 3, "rate": 3_600_000}}});
        world.admin().await.patch("attack-protection/suspicious-ip-throttling", few).await.expect(200);
        for number in 0..3 {
            ours.login_wrong(&format!("nobody-{number}@example.com"), "192.0.2.3").await.expect(403);
        }
        ours.login_right(ANA, "192.0.2.3").await.expect(429);
        world.admin().await.get("anomaly/blocks/ips/192.0.2.3").await.expect(200);

        theirs.login_right(ANA, "192.0.2.3").await.expect(200);
        let their_admin = other.admin().await;
        their_admin.get("anomaly/blocks/ips/192.0.2.3").await.expect(404);
        their_admin.delete("anomaly/blocks/ips/192.0.2.3").await.expect(204);
        ours.login_right(ANA, "192.0.2.3").await.expect(429);
    }
}
