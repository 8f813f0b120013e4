//! A store that fails amid an attempt: no free guess, no token, nothing told that is not written.
//!
//! The database itself refuses, by a trigger that somebody else puts there; the server knows of nothing.

use std::time::Duration;

use serde_json::json;
use testkit::{Attacker, PASSWORD, World, on_both_engines};

use crate::beside::sql;

const ANA: &str = "ana@example.com";
const HOME: &str = "192.0.2.1";
/// Longer than an attempt may be in flight.
const LAPSE: Duration = Duration::from_secs(31);

/// From now on every write of this kind fails.
fn refuse(world: &World, write: &str, table: &str) {
    let name = format!("refuse_{write}_{table}").to_lowercase();
    sql(
        world,
        &format!(
            "CREATE TRIGGER {name} BEFORE {write} ON {table} BEGIN SELECT RAISE(ABORT, 'disk full'); END"
        ),
        &format!(
            "CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'disk full'; END $$; \
             CREATE TRIGGER {name} BEFORE {write} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()"
        ),
    );
}

/// Writes of this kind work again.
fn allow(world: &World, write: &str, table: &str) {
    let name = format!("refuse_{write}_{table}").to_lowercase();
    sql(
        world,
        &format!("DROP TRIGGER {name}"),
        &format!("DROP TRIGGER {name} ON {table}; DROP FUNCTION {name}()"),
    );
}

on_both_engines! {
    async fn a_count_that_cannot_be_written_gives_no_free_guess(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(ANA).await;
        Attacker::at(&backend, HOME).guesses(ANA, 4).await;
        let hashes = world.hashes();
        for write in ["INSERT", "UPDATE"] {
            refuse(&world, write, "meters");
        }
        for (name, password) in [(ANA, "wrong"), (ANA, PASSWORD), ("nobody@example.com", "wrong")] {
            for address in [HOME, "192.0.2.2"] {
                let answer = backend.login(name, password).end_user(address).send().await;
                assert_eq!((answer.status, answer.error().as_str()), (503, "temporarily_unavailable"), "{name} {password}");
            }
        }
        assert_eq!(world.hashes(), hashes, "nothing is looked at that is not charged");
        for write in ["INSERT", "UPDATE"] {
            allow(&world, write, "meters");
        }
        let told = Attacker::at(&backend, HOME).guesses(ANA, 7).await;
        assert_eq!(told.iter().filter(|answer| answer.status == 403).count(), 6);
    }

    async fn an_outcome_that_cannot_be_counted_is_told_to_nobody(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(ANA).await;
        let admin = world.admin().await;
        let same_user = json!({"same_user": {"enabled": false}});
        admin.patch("portcullis/attack-protection", same_user).await.expect(200);
        // The first attempt makes its rows by an insert, so only its settle is an update.
        refuse(&world, "UPDATE", "meters");
        for (password, address) in [(PASSWORD, "192.0.2.11"), ("wrong", "192.0.2.12")] {
            let answer = backend.login(ANA, password).end_user(address).send().await.expect(503);
            assert_eq!(answer.error(), "temporarily_unavailable");
            assert!(!answer.text.contains("_token\""));
        }
        assert_eq!(world.hashes().matched, 1, "it came as far as the hash");
        assert!(admin.events("sepft").await.is_empty() && admin.events("fp").await.is_empty());
        allow(&world, "UPDATE", "meters");
        backend.login_right(ANA, "192.0.2.11").await.expect(200);
    }

    async fn what_cannot_be_logged_is_told_to_nobody_and_what_was_told_stays_counted(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(ANA).await;
        let admin = world.admin().await;
        Attacker::at(&backend, HOME).guesses(ANA, 4).await;
        refuse(&world, "INSERT", "events");
        for password in ["wrong", PASSWORD, "wrong"] {
            let answer = backend.login(ANA, password).end_user(HOME).send().await;
            assert_eq!((answer.status, answer.error().as_str()), (503, "temporarily_unavailable"), "{password}");
            assert!(!answer.text.contains("_token\""));
        }
        let own = backend.login(ANA, "").with("grant_type", "client_credentials").send().await;
        assert!(!own.text.contains("_token\""), "{}", own.text);
        allow(&world, "INSERT", "events");

        world.clock.advance(LAPSE);
        let told = Attacker::at(&backend, HOME).guesses(ANA, 7).await;
        let told = told.iter().filter(|answer| answer.status == 403).count();
        assert_eq!(told, 6, "four were told before and stay, three were told to nobody");
        backend.login_right(ANA, HOME).await.expect(429);
        assert_eq!(admin.events("fp").await.len(), 10);
    }
}
