//! Names of users: spellings yield no fresh budget, and a name that resembles another's harms nobody.

use serde_json::json;
use testkit::{Attacker, PASSWORD, World, on_both_engines};

const ANA: &str = "ana@example.com";
const HOME: &str = "192.0.2.1";

/// The same name to a reader or to a program; each lets its owner in.
const SPELLINGS: [&str; 12] = [
    "iris.fink@example.com",
    "IRIS.FINK@EXAMPLE.COM",
    "Iris.Fink@Example.Com",
    "  iris.fink@example.com",
    "iris.fink@example.com\t\r\n",
    "\u{3000}iris.fink@example.com\u{a0}",
    "ｉｒｉｓ.ｆｉｎｋ@ｅｘａｍｐｌｅ.ｃｏｍ",
    "iris.fink＠example．com",
    "iris.ﬁnk@example.com",
    "iris.fin\u{212a}@example.com",
    "iri\u{17f}.fink@example.com",
    "𝐢𝐫𝐢𝐬.𝐟𝐢𝐧𝐤@example.com",
];

/// Alike to a reader only: names of nobody, so that guessing by them opens nothing.
const LOOKALIKES: [&str; 11] = [
    "ir\u{200b}is.fink@example.com",
    "\u{feff}iris.fink@example.com",
    "iris.fink@example.com\u{200d}",
    "\u{202e}iris.fink@example.com",
    "iris\u{ad}.fink@example.com",
    "İris.fink@example.com",
    "ırıs.fink@example.com",
    "іris.fink@example.com",
    "iris.fink@example.com.",
    "iris.fink+1@example.com",
    "iris. fink@example.com",
];

on_both_engines! {
    async fn no_spelling_of_a_name_yields_a_fresh_budget(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(SPELLINGS[0]).await;
        let admin = world.admin().await;
        let threshold = json!({"max_attempts": SPELLINGS.len()});
        admin.patch("attack-protection/brute-force-protection", threshold).await.expect(200);
        for spelling in SPELLINGS {
            let answer = backend.login_right(spelling, "192.0.2.200").await;
            assert_eq!(answer.status, 200, "{spelling:?} is a way to write the name");
        }
        for spelling in SPELLINGS {
            backend.login_wrong(spelling, HOME).await.expect(403);
        }
        for spelling in SPELLINGS {
            world.app.forget_cached();
            let answer = backend.login_right(spelling, HOME).await;
            assert_eq!(answer.status, 429, "{spelling:?}");
        }
    }

    async fn a_name_that_only_looks_alike_opens_nothing(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(SPELLINGS[0]).await;
        for lookalike in LOOKALIKES {
            let answer = backend.login_right(lookalike, HOME).await;
            assert_eq!((answer.status, answer.error().as_str()), (403, "invalid_grant"), "{lookalike:?}");
        }
        backend.login_right(SPELLINGS[0], HOME).await.expect(200);
    }

    async fn spellings_of_an_unknown_name_share_one_budget(world: World) {
        let backend = world.backend(true).await;
        for spelling in SPELLINGS.iter().take(10) {
            backend.login_wrong(spelling, HOME).await.expect(403);
        }
        for spelling in SPELLINGS {
            world.app.forget_cached();
            let answer = backend.login_wrong(spelling, HOME).await;
            assert_eq!(answer.status, 429, "{spelling:?}");
        }
    }

    async fn user_name_and_address_share_one_counter(world: World) {
        let backend = world.backend(true).await;
        let body = json!({"connection": "Users", "username": "ana", "email": ANA, "password": PASSWORD});
        world.admin().await.post("users", body).await.expect(201);
        for name in ["ana", ANA] {
            backend.login_right(name, "192.0.2.200").await.expect(200);
            for _ in 0..5 {
                backend.login_wrong(name, HOME).await.expect(403);
            }
        }
        for name in ["ana", ANA, "ANA", "Ana@Example.com"] {
            world.app.forget_cached();
            let answer = backend.login_right(name, HOME).await;
            assert_eq!(answer.status, 429, "{name}");
        }
    }

    async fn a_name_like_anothers_address_locks_nobody_else_out(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(ANA).await;
        let admin = world.admin().await;
        let eve = json!({"connection": "Users", "username": "ana", "email": "eve@example.com", "password": PASSWORD});
        let eve = admin.post("users", eve).await.expect(201).text_of("user_id").replace('|', "%7C");
        for body in [json!({"username": ANA, "connection": "Users"}), json!({"email": ANA, "connection": "Users"})] {
            let refused = admin.patch(&format!("users/{eve}"), body).await;
            assert!(matches!(refused.status, 400 | 409), "{}", refused.text);
        }
        let staff = json!({"name": "Staff", "strategy": "auth0", "enabled_clients": [backend.client_id]});
        admin.post("connections", staff).await.expect(201);
        let namesake = json!({"connection": "Staff", "email": ANA, "password": "Another-Horse-8-Battery"});
        admin.post("users", namesake).await.expect(201);

        Attacker::at(&backend, HOME).guesses("ana", 10).await;
        let realm = "http://auth0.com/oauth/grant-type/password-realm";
        let in_staff = |password| backend.login(ANA, password).with("grant_type", realm).with("realm", "Staff").end_user(HOME);
        for _ in 0..10 {
            in_staff(PASSWORD).send().await.expect(403);
        }
        in_staff("Another-Horse-8-Battery").send().await.expect(429);
        backend.login_right("ana", HOME).await.expect(429);
        backend.login_right("eve@example.com", HOME).await.expect(429);
        backend.login_right(ANA, HOME).await.expect(200);
    }
}
