//! Sign-ups, requests for new passwords and links of one tenant mean nothing in another.

use serde_json::json;
use testkit::{World, on_both_engines};

use crate::people::{ANA, EVE, HOME, NEW_PASSWORD, ask_for_reset, new_person, post, sign_up};

on_both_engines! {
    async fn people_sign_up_in_one_tenant_alone(world: World) {
        let other = world.neighbour("other").await;
        let (ours, theirs) = (world.backend(true).await, other.backend(true).await);
        let told = post(&other, HOME, "/dbconnections/signup", &[], &new_person(&ours, EVE)).await.expect(400);
        assert_eq!(told.json()["code"], "invalid_client");
        ask_for_reset(&testkit::Backend { world: &other, ..ours.clone() }, HOME, EVE).await.expect(400);
        sign_up(&ours, EVE).await.expect(200);
        theirs.login_right(EVE, HOME).await.expect(403);
        sign_up(&theirs, EVE).await.expect(200);
        theirs.login_right(EVE, HOME).await.expect(200);
        assert_eq!(world.admin().await.events("ss").await.len(), 1);
        assert_eq!(world.admin().await.get("users").await.json().as_array().unwrap().len(), 1);
    }

    async fn a_link_of_one_tenant_opens_nothing_in_another(world: World) {
        let other = world.neighbour("other").await;
        let (ours, theirs) = (world.backend(true).await, other.backend(true).await);
        ours.add_user(ANA).await;
        theirs.add_user(ANA).await;
        ask_for_reset(&ours, HOME, ANA).await.expect(200);
        let link = world.mailbox(ANA).newest_link().await;
        let page = world.visitor(HOME).open(&link).await.expect(200);
        let new = [("password", NEW_PASSWORD), ("confirmation", NEW_PASSWORD)];
        other.visitor(HOME).open(&link).await.expect(404);
        other.visitor(HOME).press(&page, &new).await.expect(404);
        theirs.login_right(ANA, HOME).await.expect(200);
        world.visitor(HOME).press(&page, &new).await.expect(200);
        theirs.login_right(ANA, HOME).await.expect(200);
        let asked = json!({"user_id": world.admin().await.get("users").await.json()[0]["user_id"]});
        other.admin().await.post("tickets/password-change", asked).await.expect(404);
    }
}
