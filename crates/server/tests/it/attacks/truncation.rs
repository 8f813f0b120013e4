//! Nothing that decides is cut: what differs only at its end differs (bcrypt ends at 72 bytes, cache keys once did).

use serde_json::json;
use testkit::{Attacker, World, on_both_engines};

const ANA: &str = "ana@example.com";
const HOME: &str = "192.0.2.1";

on_both_engines! {
    async fn passwords_that_differ_after_72_bytes_are_different(world: World) {
        let backend = world.backend(true).await;
        let beginning = "Aa1!".repeat(18);
        assert_eq!(beginning.len(), 72);
        let password = format!("{beginning}-the-end");
        let body = json!({"connection": "Users", "email": ANA, "password": password});
        world.admin().await.post("users", body).await.expect(201);

        let others = [beginning.clone(), format!("{beginning}-the-enD"), format!("{password}!"), format!("{password} ")];
        for other in others {
            let answer = backend.login(ANA, &other).end_user(HOME).send().await;
            assert_eq!(answer.status, 403, "{other}");
        }
        backend.login(ANA, &password).end_user(HOME).send().await.expect(200);
    }

    async fn what_is_too_long_is_refused_and_not_cut(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(ANA).await;
        let padded = |count: usize| format!("{ANA}{}", " ".repeat(count));
        let hashes = world.hashes();
        for (name, password) in [
            (padded(300), testkit::PASSWORD.to_owned()),
            (format!("{}@example.com", "x".repeat(250)), testkit::PASSWORD.to_owned()),
            (ANA.to_owned(), "x".repeat(1_025)),
        ] {
            let refused = backend.login(&name, &password).end_user(HOME).send().await.expect(400);
            assert_eq!(refused.error(), "invalid_request");
        }
        assert_eq!(world.hashes(), hashes);
        backend.login_right(&padded(200), HOME).await.expect(200);
    }

    async fn names_that_differ_only_at_their_end_have_counters_of_their_own(world: World) {
        let backend = world.backend(true).await;
        let name = |end: &str| format!("{}{end}", "x".repeat(253));
        Attacker::at(&backend, HOME).guesses(&name("1"), 10).await;
        backend.login_wrong(&name("1"), HOME).await.expect(429);
        backend.login_wrong(&name("2"), HOME).await.expect(403);
    }
}
