//! A caller who hangs up changes no meter in his favour and leaves no reservation behind.

use std::time::Duration;

use testkit::{Attacker, Backend, World, on_both_engines};

const ANA: &str = "ana@example.com";
const HOME: &str = "192.0.2.1";

/// Starts a wrong guess and drops it after it was polled so many times.
async fn hang_up_after(backend: &Backend<'_>, polls: usize) {
    let guess = backend.login_wrong(ANA, HOME);
    tokio::pin!(guess);
    for _ in 0..polls {
        if futures_util::poll!(&mut guess).is_ready() {
            return;
        }
        tokio::task::yield_now().await;
    }
}

on_both_engines! {
    async fn hanging_up_at_any_moment_saves_no_guess(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(ANA).await;
        for polls in 0..60 {
            hang_up_after(&backend, polls).await;
        }
        // Whatever was charged is settled, though nobody waits for it.
        world.app.jobs.settled(Duration::from_secs(30)).await;

        let counted = world.admin().await.events("fp").await.len();
        assert_eq!(world.hashes().mismatched, counted as u64, "every hash that ran was counted");
        let left = 10_usize.saturating_sub(counted);
        let answers = Attacker::at(&backend, HOME).guesses(ANA, left + 1).await;
        assert!(answers.iter().take(left).all(|answer| answer.status == 403), "no reservation was left behind");
        assert_eq!(answers[left].status, 429);
    }
}
