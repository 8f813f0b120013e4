//! A tenant with one of everything, and the functions that add.

use model::{Identifier, TicketKind, UserId};
use storage::{
    Added, LogMark, MeterWrite, SignedUp, SigningKeyState, TenantStore, TicketRecord, Work,
};

use crate::rows;

/// Adds one of everything; each is new in its tenant, whatever another has.
pub(super) const ADDED: [&str; 22] = [
    "add_tenant",
    "add_client",
    "add_resource_server",
    "add_client_grant",
    "add_connection",
    "add_user",
    "add_events",
    "add_past_events",
    "add_breach",
    "add_day_counts",
    "note_active_users",
    "add_signing_key",
    "add_access_token",
    "write_meters",
    "enqueue_mail",
    "add_email_provider",
    "add_email_template",
    "add_ticket",
    "sign_up",
    "remember_password",
    "add_job",
    "add_log_stream",
];

/// One of everything, through a handle.
pub(super) async fn furnish(rows: &TenantStore) {
    rows.write(async move |work: &mut Work| {
        let id = work.tenant_id().as_str().to_owned();
        let added = [
            work.add_tenant(&rows::tenant(&id, &format!("{id}.example.com")))
                .await?,
            work.add_client(&rows::client("client")).await?,
            work.add_resource_server(&rows::resource_server("rs", "https://api"))
                .await?,
            work.add_client_grant(&rows::grant("cgr", "client", "https://api"))
                .await?,
            work.add_connection(&rows::connection("con", "Users"))
                .await?,
            work.add_user(&rows::user("auth0|1", "con", "ana@example.com"))
                .await?,
            work.add_signing_key(&rows::signing_key("kid", SigningKeyState::Current))
                .await?,
            work.add_email_provider(&rows::email_provider()).await?,
            work.add_email_template(&rows::email_template("verify_email"))
                .await?,
            work.add_log_stream(&rows::log_stream("lst_1")).await?,
        ];
        assert_eq!(added, [Added::Done; 10]);
        work.add_ticket(&rows::ticket(1)).await?;
        let of_another_kind = TicketRecord {
            kind: TicketKind::PasswordReset,
            ..rows::ticket(2)
        };
        work.add_ticket(&of_another_kind).await?;
        work.add_events(&[rows::event(1), rows::decision(2, "brute_force")])
            .await?;
        work.add_breach(&rows::breach(1, 0, true)).await?;
        work.take_digest("daily", 1).await?;
        work.move_log_mark(LogMark::Counted, None, &rows::log_id(0))
            .await?;
        work.add_day_counts(&rows::day_counts(1), rows::at(0))
            .await?;
        work.note_active_users(1, &[UserId::new("auth0|1")]).await?;
        work.add_access_token(&rows::access_token(1)).await?;
        let eve = Identifier::of("eve@example.com");
        let signed_up = rows::user("auth0|3", "con", eve.as_str());
        let signed_up = work.sign_up(&signed_up, &eve, None).await?;
        assert_eq!(signed_up, SignedUp::Done);
        let ana = UserId::new("auth0|1");
        work.remember_password(&ana, "hash", rows::at(0), 3).await?;
        work.add_job(&rows::job("job_1")).await?;
        work.enqueue_mail(&rows::mail("m1", 0)).await?;
        work.enqueue_mail(&rows::mail("m2", 0)).await?;
        work.write_meters(&[MeterWrite {
            revision_read: 0,
            ..rows::meter([7; 32])
        }])
        .await
    })
    .await
    .unwrap();
}
