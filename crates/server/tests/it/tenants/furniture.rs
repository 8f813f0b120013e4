//! One of everything in a tenant: what it is called, and text that only its own administrator may see.

use std::collections::BTreeMap;

use serde_json::json;
use testkit::{AUDIENCE, World};

/// A network from which the application's header is taken.
const NETWORK: &str = "198.51.100.192/28";

/// What things are called: `client` → its id.
pub(super) type Names = BTreeMap<String, String>;

/// What stands in a tenant.
pub(super) struct Furniture {
    pub(super) names: Names,
    /// Text that no answer to a stranger holds.
    pub(super) hidden: Vec<String>,
}

/// Fills a tenant, and lets its users be guessed at from this address.
pub(super) async fn furnish(world: &World, guesser: &str) -> Furniture {
    let backend = world.backend(true).await;
    let admin = world.admin().await;
    let client = backend.client_id.clone();
    let hidden = json!({"description": "hidden-application"});
    admin
        .patch(&format!("clients/{client}"), hidden)
        .await
        .expect(200);
    let networks = json!({"header_trust": {"networks": [NETWORK, "203.0.113.0/24"]}});
    admin
        .patch(&format!("portcullis/clients/{client}"), networks)
        .await
        .expect(200);
    let identifier = format!("urn:known-api-of-{}", world.tenant.name);
    let api = json!({"identifier": identifier, "name": "hidden-api", "signing_alg": "HS256"});
    let api = admin.post("resource-servers", api).await.expect(201);
    let grant = json!({"client_id": client, "audience": AUDIENCE, "scope": ["read:orders"]});
    let grant = admin.post("client-grants", grant).await.expect(201);
    let directory = format!("known-directory-of-{}", world.tenant.name);
    let connection = json!({
        "name": directory,
        "strategy": "auth0",
        "display_name": "hidden-directory",
        "enabled_clients": [client],
    });
    let connection = admin.post("connections", connection).await.expect(201);
    let settings = json!({"friendly_name": "hidden-tenant"});
    admin.patch("tenants/settings", settings).await.expect(200);
    let email = format!("known-user-of-{}@example.com", world.tenant.name);
    let user = backend.add_user(&email).await;
    admin
        .patch(
            &format!("users/{}", user.replace('|', "%7C")),
            json!({"name": "hidden-user"}),
        )
        .await
        .expect(200);

    let provider = json!({
        "name": "smtp",
        "credentials": {"smtp_host": "hidden-mail.example.com", "smtp_user": "hidden-u", "smtp_pass": "hidden-p"},
    });
    admin.post("emails/provider", provider).await.expect(201);
    let template = template_of(world).to_owned();
    let mail = json!({
        "template": template,
        "body": "hidden-body",
        "from": "",
        "subject": "hidden-subject",
        "syntax": "liquid",
        "enabled": true,
    });
    admin.post("email-templates", mail).await.expect(200);

    let stream = json!({
        "name": "hidden-stream",
        "type": "http",
        "sink": {"httpEndpoint": "https://hidden-siem.example.com/", "httpAuthorization": "hidden-token"},
    });
    let stream = admin.post("log-streams", stream).await.expect(200);

    // A block of the user, then one of the address.
    for _ in 0..10 {
        backend.login_wrong(&email, guesser).await.expect(403);
    }
    let event = admin.events("limit_wc").await[0]["log_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let few = json!({"stage": {"pre-login": {"max_attempts": 3, "rate": 3_600_000}}});
    admin
        .patch("attack-protection/suspicious-ip-throttling", few)
        .await
        .expect(200);
    for number in 0..3 {
        let nobody = format!("nobody-{number}@example.com");
        backend.login_wrong(&nobody, guesser).await;
    }
    backend
        .login_wrong("nobody@example.com", guesser)
        .await
        .expect(429);

    let asked = json!({"user_id": user});
    let job = admin
        .post("jobs/verification-email", asked)
        .await
        .expect(201);

    let names = [
        ("client", client),
        ("grant", grant.text_of("id")),
        ("connection", connection.text_of("id")),
        ("api", api.text_of("id")),
        ("identifier", identifier),
        ("directory", directory),
        ("email", email),
        ("user", user),
        ("event", event),
        ("template", template),
        ("job", job.text_of("id")),
        ("stream", stream.text_of("id")),
        ("address", guesser.to_owned()),
    ];
    Furniture {
        names: names
            .map(|(kind, name)| (kind.to_owned(), name))
            .into_iter()
            .collect(),
        hidden: vec![
            "hidden-".to_owned(),
            NETWORK.to_owned(),
            api.text_of("signing_secret"),
            backend.client_secret.clone(),
        ],
    }
}

/// Names of templates are the same for all, so the first tenant and its neighbours have different ones.
fn template_of(world: &World) -> &'static str {
    if world.domain() == "login.example.com" {
        "welcome_email"
    } else {
        "stolen_credentials"
    }
}

impl Furniture {
    /// Names of the same form that nobody has.
    pub(super) fn names_of_nobody(&self) -> Names {
        let mut names = self.names.clone();
        for (kind, name) in &mut names {
            *name = match kind.as_str() {
                "address" => "192.0.2.77".to_owned(),
                "template" => "reset_email".to_owned(),
                "email" | "directory" | "identifier" => name.replace("known", "never"),
                _ => turned(name),
            };
        }
        names
    }
}

/// The last six characters, each replaced by another of its kind.
fn turned(name: &str) -> String {
    let (kept, last) = name.split_at(name.len() - 6);
    let turned = last.chars().map(|character| match character {
        '0'..='8' | 'a'..='e' | 'g'..='y' | 'A'..='Y' => (character as u8 + 1) as char,
        '9' => '0',
        'f' => 'a',
        'z' => 'g',
        'Z' => 'A',
        other => other,
    });
    kept.chars().chain(turned).collect()
}
