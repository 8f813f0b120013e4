//! A walk over every route of the Management API with the names of another tenant's things.
//!
//! Whatever is asked, the answer is the one about things that nobody has, and not a row of the other tenant moves.

use http::Method;
use testkit::{Engine, World, on_both_engines};

use super::furniture::{Furniture, Names, furnish};
use super::requests::{Request, requests, without_names};
use super::routes::{Route, routes};
use super::rows::{rows, rows_but_events};

const GUESSER: &str = "192.0.2.66";

/// These names, and those of the caller's own things.
fn beside(names: &Names, own: &Furniture) -> Names {
    let own = own.names.iter();
    let own = own.map(|(kind, name)| (format!("own {kind}"), name.clone()));
    names.clone().into_iter().chain(own).collect()
}

/// What can be asked, reading first, then what makes and removes the caller's own things.
fn in_order(routes: &[Route]) -> Vec<Request> {
    let mut all: Vec<Request> = routes.iter().flat_map(requests).collect();
    let order = [
        Method::GET,
        Method::PATCH,
        Method::PUT,
        Method::DELETE,
        Method::POST,
    ];
    all.sort_by_key(|request| order.iter().position(|method| *method == request.method));
    all
}

on_both_engines! {
    async fn another_tenants_things_are_nobodys(world: World) {
        let other = world.neighbour("other").await;
        let (mine, theirs) = (furnish(&world, "192.0.2.55").await, furnish(&other, GUESSER).await);
        let admin = world.admin().await;
        let real = beside(&theirs.names, &mine);
        let nobodys = beside(&theirs.names_of_nobody(), &mine);
        let before = rows(&other);
        let mut compared = 0;
        for request in in_order(&routes(&admin).await) {
            let answer = request.send(&admin, &real).await;
            assert!(answer.status < 500, "{request:?}: {answer:?}");
            if request.names_another() {
                compared += 1;
                let nobody = request.send(&admin, &nobodys).await;
                assert_eq!(answer.status, nobody.status, "{request:?}: {answer:?}, of nobody {nobody:?}");
                if request.method != Method::POST {
                    let (told, of_nobody) = (without_names(&answer.text, &real), without_names(&nobody.text, &nobodys));
                    assert_eq!(told, of_nobody, "{request:?}");
                }
            } else if request.method == Method::GET {
                for name in theirs.names.values().filter(|name| !mine.names.values().any(|own| own == *name)) {
                    assert!(!answer.text.contains(name), "{request:?} shows {name}: {answer:?}");
                }
            }
        }
        assert!(compared > 500, "{compared}");
        assert_eq!(rows(&other), before);
    }

    async fn nothing_hidden_in_a_tenant_is_shown_to_another(world: World) {
        let other = world.neighbour("other").await;
        let theirs = furnish(&other, GUESSER).await;
        world.backend(true).await;
        let admin = world.admin().await;
        for request in in_order(&routes(&admin).await) {
            let answer = request.send(&admin, &beside(&theirs.names, &theirs)).await;
            for hidden in &theirs.hidden {
                assert!(!answer.text.contains(hidden), "{request:?} shows {hidden}: {answer:?}");
            }
        }
    }

    async fn no_token_of_another_tenant_is_taken(world: World) {
        let other = world.neighbour("other").await;
        let theirs = furnish(&other, GUESSER).await;
        let (stranger, before) = (world.admin().await.at(&other), rows(&other));
        for request in in_order(&routes(&stranger).await) {
            let answer = request.send(&stranger, &beside(&theirs.names, &theirs)).await;
            assert_eq!(answer.status, 401, "{request:?}: {answer:?}");
        }
        assert_eq!(rows(&other), before);
    }
}

/// Otherwise a refusal to a stranger might have any other cause. It is about the requests, so one engine is enough.
#[tokio::test]
async fn each_request_does_what_it_is_for() {
    let world = World::start(Engine::Sqlite).await;
    let shared = world.neighbour("shared").await;
    let kept = furnish(&shared, GUESSER).await;
    for route in routes(&world.admin().await).await {
        let all = requests(&route);
        for method in &route.methods {
            let asked = all.iter().filter(|request| request.method == *method);
            // What is removed cannot be removed again.
            let done = if *method == Method::DELETE {
                let fresh = format!(
                    "fresh{}",
                    route.path.replace(|c: char| !c.is_ascii_alphanumeric(), "")
                );
                let fresh = world.neighbour(&fresh).await;
                let furniture = furnish(&fresh, GUESSER).await;
                one_does(&fresh, &furniture, &route, asked).await
            } else {
                if *method == Method::POST && route.path == "/emails/provider" {
                    // There can be only one.
                    shared
                        .admin()
                        .await
                        .delete("emails/provider")
                        .await
                        .expect(204);
                }
                one_does(&shared, &kept, &route, asked).await
            };
            assert!(done, "no request does what {method} {} is for", route.path);
        }
    }
}

/// Whether one of the requests shows the tenant's own administrator a thing of his, or changes a row.
async fn one_does<'r>(
    world: &World,
    furniture: &Furniture,
    route: &Route,
    asked: impl Iterator<Item = &'r Request>,
) -> bool {
    let (admin, names) = (world.admin().await, beside(&furniture.names, furniture));
    for request in asked {
        let before = rows_but_events(world);
        let answer = request.send(&admin, &names).await;
        let good = (200..300).contains(&answer.status);
        let does = if request.method == Method::GET {
            let mut told = names.values().chain(&furniture.hidden);
            let shows = answer.text.is_empty() || told.any(|text| answer.text.contains(text));
            shows || !request.names_another()
        } else {
            route.is_fixed || rows_but_events(world) != before
        };
        if good && does {
            return true;
        }
    }
    false
}
