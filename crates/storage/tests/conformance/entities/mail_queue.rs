//! The mail queue: claims, leases, and what is left of a sender that died.

use storage::{ClaimedMail, QueuedMail, Settled, TenantStore, Work};

use crate::both_engines;
use crate::rows;

async fn enqueue(rows: &TenantStore, mails: Vec<QueuedMail>) {
    let put_down = rows.write(async move |work: &mut Work| {
        for mail in &mails {
            work.enqueue_mail(mail).await?;
        }
        Ok(())
    });
    put_down.await.unwrap();
}

async fn claim(rows: &TenantStore, now: i64, lease_end: i64) -> Vec<ClaimedMail> {
    rows.claim_mails(rows::at(now), 10, rows::at(lease_end))
        .await
        .unwrap()
}

async fn retry(rows: &TenantStore, claimed: &ClaimedMail, next: i64) -> Settled {
    let claimed = claimed.clone();
    rows.write(async move |work: &mut Work| {
        work.retry_mail(&claimed, rows::at(next), "451 later").await
    })
    .await
    .unwrap()
}

async fn sent(rows: &TenantStore, id: &'static str) -> Settled {
    rows.write(async move |work: &mut Work| work.remove_sent_mail(id).await)
        .await
        .unwrap()
}

async fn failed(rows: &TenantStore, claimed: &ClaimedMail) -> Settled {
    let claimed = claimed.clone();
    rows.write(async move |work: &mut Work| work.remove_failed_mail(&claimed).await)
        .await
        .unwrap()
}

fn ids(claimed: &[ClaimedMail]) -> Vec<&str> {
    claimed
        .iter()
        .map(|claimed| claimed.mail.mail_id.as_str())
        .collect()
}

both_engines! {
    async fn a_claim_never_takes_more_than_its_limit(stage: Stage) {
        let mails = (0..60).map(|number| rows::mail(&format!("m{number:02}"), number)).collect();
        enqueue(&stage.rows, mails).await;
        for round in 0..15 {
            let claimed = stage.rows.claim_mails(rows::at(100), 4, rows::at(200)).await.unwrap();
            let expected: Vec<String> = (0..4).map(|number| format!("m{:02}", round * 4 + number)).collect();
            assert_eq!(ids(&claimed), expected, "round {round}");
        }
        assert!(claim(&stage.rows, 100, 200).await.is_empty());
    }

    async fn a_mail_is_claimed_once_sent_and_gone(stage: Stage) {
        enqueue(&stage.rows, vec![rows::mail("m1", 100)]).await;
        assert!(claim(&stage.rows, 99, 200).await.is_empty(), "not due yet");
        let claimed = claim(&stage.rows, 100, 200).await;
        let mail = QueuedMail { next_try_at: rows::at(200), ..rows::mail("m1", 100) };
        assert_eq!(claimed, [ClaimedMail { mail, attempt: 1, last_error: None }]);
        assert!(claim(&stage.rows, 199, 300).await.is_empty(), "the lease holds");
        assert_eq!(stage.store.count_queued_mails(10).await, Ok(1));
        assert_eq!(sent(&stage.rows, "m1").await, Settled::Done);
        assert_eq!(sent(&stage.rows, "m1").await, Settled::Overtaken);
        assert_eq!(stage.store.count_queued_mails(10).await, Ok(0));
    }

    async fn a_unit_that_fails_sends_nothing(stage: Stage) {
        let failed = stage.rows.write(async |work: &mut Work| {
            work.enqueue_mail(&rows::mail("m1", 0)).await?;
            Err::<(), _>(storage::StoreError::Refused("the story says so".to_owned()))
        });
        assert!(failed.await.is_err());
        assert!(claim(&stage.rows, 1_000, 2_000).await.is_empty());
    }

    async fn the_mail_of_a_dead_sender_is_due_when_its_lease_ends(stage: Stage) {
        enqueue(&stage.rows, vec![rows::mail("m1", 0)]).await;
        let lost = claim(&stage.rows, 0, 60).await;
        // The sender is gone, and with it this node.
        let rows = match stage.engine {
            Engine::Sqlite => stage.rows.clone(),
            Engine::Postgres | Engine::Pooler => stage.second().await.tenant(stage.rows.tenant_id()),
        };
        let again = claim(&rows, 60, 120).await;
        assert_eq!((ids(&again), again[0].attempt), (vec!["m1"], 2));
        assert_eq!(again[0].mail.message_id, lost[0].mail.message_id);
        assert_eq!(again[0].mail.sealed, lost[0].mail.sealed);
    }

    async fn a_claim_that_was_overtaken_settles_nothing_but_a_sent_mail(stage: Stage) {
        enqueue(&stage.rows, vec![rows::mail("m1", 0)]).await;
        let slow = claim(&stage.rows, 0, 60).await.remove(0);
        let quick = claim(&stage.rows, 60, 120).await.remove(0);
        assert_eq!(retry(&stage.rows, &slow, 70).await, Settled::Overtaken);
        assert_eq!(failed(&stage.rows, &slow).await, Settled::Overtaken);
        assert!(claim(&stage.rows, 119, 200).await.is_empty(), "the second lease holds");
        // The slow one did send it after all: nobody shall send it a third time.
        assert_eq!(sent(&stage.rows, "m1").await, Settled::Done);
        assert_eq!(retry(&stage.rows, &quick, 130).await, Settled::Overtaken);
        assert_eq!(stage.store.count_queued_mails(10).await, Ok(0));
    }

    async fn a_failed_attempt_waits_and_tells_why_and_the_last_one_removes(stage: Stage) {
        enqueue(&stage.rows, vec![rows::mail("m1", 0)]).await;
        let first = claim(&stage.rows, 0, 60).await.remove(0);
        assert_eq!(retry(&stage.rows, &first, 500).await, Settled::Done);
        assert!(claim(&stage.rows, 499, 600).await.is_empty());
        let second = claim(&stage.rows, 500, 600).await.remove(0);
        assert_eq!((second.attempt, second.last_error.as_deref()), (2, Some("451 later")));
        assert_eq!(failed(&stage.rows, &second).await, Settled::Done);
        assert!(claim(&stage.rows, 9_999, 10_000).await.is_empty());
    }

    async fn claims_are_bounded_and_take_what_is_longest_due(stage: Stage) {
        enqueue(&stage.rows, (0..5).map(|number| rows::mail(&format!("m{number}"), 50 - number)).collect()).await;
        let first = stage.rows.claim_mails(rows::at(100), 3, rows::at(200)).await.unwrap();
        assert_eq!(ids(&first), ["m4", "m3", "m2"]);
        let rest = stage.rows.claim_mails(rows::at(100), 3, rows::at(200)).await.unwrap();
        assert_eq!(ids(&rest), ["m1", "m0"]);
    }

    async fn tenants_with_due_mail_are_found_and_all_mail_is_counted(stage: Stage) {
        enqueue(&stage.rows, vec![rows::mail("m1", 0), rows::mail("m2", 0)]).await;
        enqueue(&stage.other, vec![rows::mail("m1", 50)]).await;
        let due = async |now| stage.store.list_tenants_with_due_mail(rows::at(now)).await.unwrap();
        assert_eq!(due(0).await, [stage.rows.tenant_id().clone()]);
        assert_eq!(due(50).await, [stage.rows.tenant_id().clone(), stage.other.tenant_id().clone()]);
        claim(&stage.rows, 0, 100).await;
        assert_eq!(due(50).await, [stage.other.tenant_id().clone()]);
        assert_eq!(stage.store.count_queued_mails(10).await, Ok(3));
        assert_eq!(stage.store.count_queued_mails(2).await, Ok(2), "it stops at the limit");
    }
}

#[test]
fn a_mail_printed_for_debugging_tells_neither_text_nor_person() {
    let printed = format!("{:?}", rows::mail("m1", 0));
    assert!(
        printed.contains("m1") && !printed.contains("ana"),
        "{printed}"
    );
    assert!(!printed.contains("sealed"), "{printed}");
}
