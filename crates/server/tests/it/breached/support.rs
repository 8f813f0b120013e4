//! The shield, users with breached passwords, and the mails that were sent.

use std::sync::Arc;

use mail::{Message, Outbox, Transport};
use serde_json::{Value, json};
use server::courier::{Courier, Route, Sender, Way};
use testkit::{Answer, Backend, World};

pub(super) const SHIELD: &str = "attack-protection/breached-password-detection";
pub(super) const OWN: &str = "portcullis/attack-protection";
pub(super) const ANA: &str = "ana@example.com";
/// Documented as breached, whatever the lists say.
pub(super) const LEAKED: &str = "AUTH0-TEST-Correct-Horse-7";
pub(super) const HOME: &str = "192.0.2.1";
pub(super) const ADMINISTRATOR: &str = "admin@example.com";
/// auth0-wire-facts §2.2.
pub(super) const TOLD: &str = "This login attempt has been blocked because the password you're using was previously disclosed through a data breach (not in this application). Please check your email for more information.";

/// Switches the shield on with these login shields.
pub(super) async fn shield(world: &World, shields: Value) {
    set(world, json!({"enabled": true, "shields": shields})).await;
}

/// Changes the shield's settings.
pub(super) async fn set(world: &World, settings: Value) {
    let admin = world.admin().await;
    admin.patch(SHIELD, settings).await.expect(200);
}

/// Names somebody to tell.
pub(super) async fn name_administrator(world: &World) {
    let body = json!({"administrators": [ADMINISTRATOR]});
    world.admin().await.patch(OWN, body).await.expect(200);
}

/// Lets one user log in as often as a story needs.
pub(super) async fn without_same_user_limit(world: &World) {
    let off = json!({"same_user": {"enabled": false}});
    world.admin().await.patch(OWN, off).await.expect(200);
}

/// A user with this password.
pub(super) async fn add_user(world: &World, email: &str, password: &str) -> String {
    let body =
        json!({"connection": "Users", "email": email, "password": password, "verify_email": false});
    let made = world.admin().await.post("users", body).await.expect(201);
    made.text_of("user_id")
}

/// A login with this password from this address.
pub(super) async fn log_in(
    backend: &Backend<'_>,
    name: &str,
    password: &str,
    from: &str,
) -> Answer {
    backend.login(name, password).end_user(from).send().await
}

/// Every mail that is due, taken out of the queue.
pub(super) async fn mails(world: &World) -> Vec<Message> {
    let outbox = Outbox::default();
    let transport = Arc::new(Transport::Outbox(outbox.clone()));
    let route: Route = Arc::new(move |_| {
        let transport = Arc::clone(&transport);
        let sender = Sender::OfTenant(None);
        Box::pin(async move { Ok(Way { transport, sender }) })
    });
    Courier::new(&world.app, route).deliver_due().await.unwrap();
    outbox.mails()
}

/// To whom mails went.
pub(super) async fn recipients(world: &World) -> Vec<String> {
    let mut to: Vec<String> = mails(world)
        .await
        .iter()
        .map(|mail| mail.to().address().to_owned())
        .collect();
    to.sort_unstable();
    to
}
