//! §7: what templates may say in real mails, and where the links of those lead.

use serde_json::{Value, json};
use testkit::{Attacker, Backend, PASSWORD, World, on_both_engines};

use crate::people::post;

const HOME: &str = "192.0.2.1";
const LEAKED: &str = "AUTH0-TEST-Correct-Horse-7";

/// §7.2: a variable, and what it says in a mail to Ana.
const COMMON: [(&str, &str); 20] = [
    ("application.name", "Shop"),
    ("application.clientID", "CLIENT"),
    ("application.client_metadata.branch", "north"),
    ("client.name", "Shop"),
    ("connection.name", "Users"),
    ("tenant", "TENANT"),
    ("friendly_name", "The shop"),
    ("support_email", "help@example.com"),
    ("support_url", "https://help.example.com/"),
    ("request_language", "pt-BR"),
    ("user.email", "USER"),
    ("user.email_verified", "false"),
    ("user.picture", "https://img.example.com/ana.png"),
    ("user.nickname", "anna"),
    ("user.given_name", "Ana"),
    ("user.family_name", "de &lt;b&gt;"),
    ("user.name", "Ana de &lt;b&gt;"),
    ("user.app_metadata.plan", "gold"),
    ("user.user_metadata.team", "A &amp; B"),
    ("user.nobody", ""),
];

/// What one template has beside those.
const OF_TEMPLATES: [(&str, &[(&str, &str)]); 5] = [
    (
        "blocked_account",
        &[
            ("user.source_ip", HOME),
            // There is no address database.
            ("user.city", ""),
            ("user.country", ""),
            (
                "url",
                "https://login.example.com/u/brute-force-protection-unblock?ticket=",
            ),
        ],
    ),
    (
        "verify_email",
        &[(
            "url",
            "https://login.example.com/u/email-verification?ticket=",
        )],
    ),
    (
        "reset_email",
        &[("url", "https://login.example.com/u/reset-password?ticket=")],
    ),
    (
        "stolen_credentials",
        &[("user.source_ip", HOME), ("url", "")],
    ),
    ("password_reset", &[("url", "")]),
];

fn rows(template: &str) -> Vec<(&'static str, &'static str)> {
    let of_template = OF_TEMPLATES.iter().find(|(name, _)| *name == template);
    let own = of_template.map(|(_, rows)| *rows).unwrap_or_default();
    COMMON.iter().chain(own).copied().collect()
}

/// A template that says every variable in a line of its own.
fn template(name: &str) -> Value {
    let line = |(variable, _): &(&str, &str)| format!("<p>{variable}=[{{{{ {variable} }}}}]</p>\n");
    let body: String = rows(name).iter().map(line).collect();
    json!({
        "template": name, "body": body, "from": "{{ friendly_name }} <shop@example.com>", "subject": name,
        "syntax": "liquid", "enabled": true,
    })
}

/// A user whose document has everything.
async fn person(world: &World, email: &str, password: &str) -> String {
    let user = json!({
        "connection": "Users", "email": email, "password": password, "verify_email": false,
        "picture": "https://img.example.com/ana.png", "nickname": "anna", "given_name": "Ana", "family_name": "de <b>",
        "name": "Ana de <b>", "app_metadata": {"plan": "gold"}, "user_metadata": {"team": "A & B"},
    });
    world
        .admin()
        .await
        .post("users", user)
        .await
        .expect(201)
        .text_of("user_id")
}

/// Has this mail sent, as people do.
async fn cause(backend: &Backend<'_>, name: &str, email: &str) {
    let (world, language) = (
        backend.world,
        [("accept-language", "pt-BR,pt;q=0.8, en;q=0.5")],
    );
    let body = json!({"client_id": backend.client_id, "connection": "Users", "email": email});
    let admin = world.admin().await;
    let user_id = person(
        world,
        email,
        if name == "stolen_credentials" {
            LEAKED
        } else {
            PASSWORD
        },
    )
    .await;
    let login = |password: &str| {
        backend
            .login(email, password)
            .end_user(HOME)
            .header(language[0].0, language[0].1)
    };
    match name {
        "blocked_account" => {
            Attacker::at(backend, HOME).guesses(email, 9).await;
            login("wrong").send().await.expect(403);
        }
        "verify_email" => {
            // Asked for by an administrator, through the application.
            let asked = json!({"user_id": user_id, "client_id": backend.client_id});
            let request = http::Request::post("/api/v2/jobs/verification-email")
                .header("host", world.domain())
                .header("authorization", format!("Bearer {}", admin.token()))
                .header("content-type", "application/json")
                .header(language[0].0, language[0].1)
                .body(asked.to_string().into())
                .unwrap();
            world.send(HOME, request).await.expect(201);
        }
        "reset_email" => drop(
            post(
                world,
                HOME,
                "/dbconnections/change_password",
                &language,
                &body,
            )
            .await
            .expect(200),
        ),
        "stolen_credentials" => drop(login(LEAKED).send().await.expect(401)),
        _ => unreachable!("{name} is caused by nobody here"),
    }
}

on_both_engines! {
    async fn each_variable_says_in_a_real_mail_what_the_table_says(world: World) {
        let backend = world.backend(true).await;
        let admin = world.admin().await;
        let shop = json!({"client_metadata": {"branch": "north"}});
        admin.patch(&format!("clients/{}", backend.client_id), shop).await.expect(200);
        let settings = json!({
            "friendly_name": "The shop", "support_email": "help@example.com", "support_url": "https://help.example.com/",
        });
        admin.patch("tenants/settings", settings).await.expect(200);
        let shield = json!({"enabled": true, "shields": ["block", "user_notification"]});
        admin.patch("attack-protection/breached-password-detection", shield).await.expect(200);
        for name in ["blocked_account", "verify_email", "reset_email", "stolen_credentials"] {
            let email = format!("{}@example.com", name.replace('_', "."));
            admin.post("email-templates", template(name)).await.expect(200);
            cause(&backend, name, &email).await;
            let mail = world.mailbox(&email).newest().await;
            assert_eq!((mail.subject(), mail.from().to_string().as_str()), (name, "The shop <shop@example.com>"));
            for (variable, expected) in rows(name) {
                let expected = expected
                    .replace("CLIENT", &backend.client_id)
                    .replace("TENANT", &world.tenant.name)
                    .replace("USER", &email);
                let said = mail.html();
                let (_, said) = said.split_once(&format!("<p>{variable}=[")).unwrap_or_else(|| panic!("{name}: {variable}"));
                let (said, _) = said.split_once("]</p>").unwrap();
                let is_link = variable == "url" && !expected.is_empty();
                let fits = if is_link { said.starts_with(&expected) } else { said == expected };
                assert!(fits, "{name}: {variable} says {said} and not {expected}");
            }
        }
    }

    async fn each_link_goes_on_to_where_its_template_says(world: World) {
        let backend = world.backend(true).await;
        let admin = world.admin().await;
        let both = [("password", "Another-Horse-8-Battery"), ("confirmation", "Another-Horse-8-Battery")];
        for (name, fields) in [("blocked_account", &[][..]), ("verify_email", &[]), ("reset_email", &both)] {
            let mut told = template(name);
            told["resultUrl"] = json!("https://shop.example.com/done?from=mail#top");
            admin.post("email-templates", told).await.expect(200);
            for (number, with_email) in [false, true].into_iter().enumerate() {
                let change = json!({"includeEmailInRedirect": with_email});
                admin.patch(&format!("email-templates/{name}"), change).await.expect(200);
                let email = format!("{name}{number}@example.com");
                cause(&backend, name, &email).await;
                let link = world.mailbox(&email).newest_link().await;
                let visitor = world.visitor(HOME);
                let page = visitor.open(&link).await.expect(200);
                let policy = page.headers["content-security-policy"].to_str().unwrap();
                assert!(policy.contains("form-action 'self' https://shop.example.com;"), "{name}: {policy}");
                let gone_on = visitor.press(&page, fields).await.expect(303);
                let location = gone_on.headers["location"].to_str().unwrap();
                let shown = if with_email { format!("email={name}{number}%40example.com&") } else { String::new() };
                let expected = format!("https://shop.example.com/done?from=mail&{shown}success=true&message=");
                assert!(location.starts_with(&expected) && location.ends_with("#top"), "{name}: {location}");
                // Who has only an old link is sent nowhere.
                assert!(!visitor.press(&page, fields).await.expect(404).headers.contains_key("location"));
            }
        }
        assert_eq!(admin.events("ublkdu").await.len(), 2, "and each did what it is for");
    }
}
