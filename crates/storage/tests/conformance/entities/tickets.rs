//! One-time tickets: whoever comes first takes one, once, in time, and only for what it is.

use model::{TicketKind, UserId};
use storage::{TicketRecord, Work};

use crate::both_engines;
use crate::rows::{self, ticket};

both_engines! {
    async fn a_ticket_is_looked_at_often_and_taken_once_in_time_for_its_purpose(stage: Stage) {
        use TicketKind::{PasswordReset, Unblock};
        let moved = TicketRecord { expires_at: rows::at(900), ..ticket(1) };
        stage.rows.write(async move |work: &mut Work| {
            work.add_ticket(&ticket(1)).await?;
            work.add_ticket(&ticket(2)).await?;
            work.add_ticket(&moved).await
        }).await.unwrap();
        for _ in 0..2 {
            assert_eq!(stage.rows.find_ticket(Unblock, &[1; 32], rows::at(99)).await, Ok(Some(ticket(1))));
        }
        assert_eq!(stage.rows.find_ticket(PasswordReset, &[1; 32], rows::at(99)).await, Ok(None));
        assert_eq!(stage.rows.find_ticket(Unblock, &[1; 32], rows::at(100)).await, Ok(None));
        let taken = stage.rows.write(async |work: &mut Work| Ok([
            work.take_ticket(PasswordReset, &[1; 32], rows::at(5)).await?,
            work.take_ticket(Unblock, &[1; 32], rows::at(100)).await?,
            work.take_ticket(Unblock, &[3; 32], rows::at(5)).await?,
            work.take_ticket(Unblock, &[1; 32], rows::at(5)).await?,
            work.take_ticket(Unblock, &[1; 32], rows::at(5)).await?,
        ]));
        assert_eq!(taken.await, Ok([None, None, None, Some(ticket(1)), None]));
        assert_eq!(stage.rows.find_ticket(Unblock, &[1; 32], rows::at(5)).await, Ok(None));
        assert_eq!(stage.rows.find_ticket(Unblock, &[2; 32], rows::at(5)).await, Ok(Some(ticket(2))));
    }

    async fn of_many_who_take_a_ticket_at_once_one_gets_it(stage: Stage) {
        stage.rows.write(async |work: &mut Work| work.add_ticket(&ticket(1)).await).await.unwrap();
        let takers = (0..20).map(|_| stage.rows.write(async |work: &mut Work| {
            work.take_ticket(TicketKind::Unblock, &[1; 32], rows::at(5)).await
        }));
        let taken = futures_util::future::join_all(takers).await;
        assert_eq!(taken.into_iter().filter(|taken| matches!(taken, Ok(Some(_)))).count(), 1);
    }

    async fn tickets_go_with_their_time_or_with_a_new_password(stage: Stage) {
        let reset = TicketRecord { kind: TicketKind::PasswordReset, ..ticket(2) };
        let late = TicketRecord { expires_at: rows::at(200), ..ticket(3) };
        stage.rows.write(async move |work: &mut Work| {
            work.add_ticket(&ticket(1)).await?;
            work.add_ticket(&reset).await?;
            work.add_ticket(&late).await
        }).await.unwrap();
        let user = UserId::new("auth0|1".to_owned());
        let removed = stage.rows.write(async move |work: &mut Work| {
            work.remove_tickets_of_user(&user, TicketKind::PasswordReset).await
        });
        assert_eq!(removed.await, Ok(1));
        assert_eq!(stage.rows.remove_expired_tickets(rows::at(99), 10).await, Ok(0));
        assert_eq!(stage.rows.remove_expired_tickets(rows::at(100), 10).await, Ok(1));
        assert!(stage.rows.find_ticket(TicketKind::Unblock, &[3; 32], rows::at(0)).await.unwrap().is_some());
    }
}
