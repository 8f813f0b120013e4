//! The story, told while it happens, and the lines to paste for one's own try.

use std::path::Path;
use std::time::Duration;

use mail::{Message, Outbox};
use reqwest::Method;
use serde_json::{Value, json};

use super::http::Http;
use super::world::{ANA, AUDIENCE, PASSWORD, World};
use crate::Failure;

const HOME: &str = "192.0.2.1";
const ATTACKER: &str = "198.51.100.66";

/// Plays it once; fails if the server does not do what the story says.
pub(super) async fn play(http: &Http, world: &World, outbox: &Outbox) -> Result<(), Failure> {
    println!("\n1. Ana logs in from {HOME}; her application passes her address on.");
    expect(&login(http, world, HOME, PASSWORD).await?, 200)?;

    println!("\n2. Somebody at {ATTACKER} guesses her password ten times.");
    for _ in 0..10 {
        expect(&login(http, world, ATTACKER, "guess").await?, 403)?;
    }

    println!(
        "\n3. From {ATTACKER} even the right password is refused now, without a hash being computed."
    );
    expect(&login(http, world, ATTACKER, PASSWORD).await?, 429)?;

    println!("\n4. Ana herself, at {HOME}, notices nothing.");
    expect(&login(http, world, HOME, PASSWORD).await?, 200)?;

    println!("\n5. But she gets a mail, whose link would lift the block if it had been she:");
    let mail = mail_about(outbox).await?;
    println!("   To:      {}", mail.to());
    println!("   Subject: {}", mail.subject());
    let text = mail.text();
    let link = text
        .split(|letter: char| letter.is_whitespace() || "()<>".contains(letter))
        .find(|word| word.contains("ticket="));
    println!("   Link:    {}", link.unwrap_or("-"));

    println!("\n6. What an administrator sees in the log:");
    let logs = http
        .send(
            Method::GET,
            "/api/v2/logs?per_page=30",
            Some(&world.token),
            None,
            None,
        )
        .await?;
    for event in logs.body.as_array().into_iter().flatten().rev() {
        let word = |member: &str| {
            event
                .get(member)
                .and_then(Value::as_str)
                .unwrap_or("-")
                .to_owned()
        };
        let kind = word("type");
        if matches!(
            kind.as_str(),
            "sepft" | "fp" | "limit_wc" | "portcullis_block_created"
        ) {
            println!(
                "   {:24} {:15} {:16} {}",
                word("type"),
                word("ip"),
                word("user_name"),
                word("description")
            );
        }
    }
    Ok(())
}

/// Prints the documented call, ready to paste.
pub(super) fn paste(domain: &str, ca: &Path, world: &World) {
    let body = json!({
        "grant_type": "password",
        "username": ANA,
        "password": PASSWORD,
        "audience": AUDIENCE,
        "scope": "read:orders",
        "client_id": world.client_id,
        "client_secret": world.client_secret,
    });
    println!("\nThe documented call, to try yourself:\n");
    println!(
        "curl --cacert {} https://{domain}/oauth/token \\",
        ca.display()
    );
    println!("  -H 'content-type: application/json' -H 'auth0-forwarded-for: {HOME}' \\");
    println!("  -d '{body}'");
    println!("\nThe log, as an administrator:\n");
    println!(
        "curl --cacert {} 'https://{domain}/api/v2/logs' \\",
        ca.display()
    );
    println!("  -H 'authorization: Bearer {}'", world.token);
}

/// The mail about the block, as soon as the courier has put it into the outbox.
async fn mail_about(outbox: &Outbox) -> Result<Message, Failure> {
    for _ in 0..100 {
        if let Some(mail) = outbox.mails().pop() {
            return Ok(mail);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Err(Failure::new(
        "no mail about the block came within ten seconds",
    ))
}

async fn login(
    http: &Http,
    world: &World,
    end_user: &str,
    password: &str,
) -> Result<(u16, Value), Failure> {
    let body = json!({
        "grant_type": "password",
        "username": ANA,
        "password": password,
        "audience": AUDIENCE,
        "scope": "read:orders",
        "client_id": world.client_id,
        "client_secret": world.client_secret,
    });
    let answer = http
        .send(
            Method::POST,
            "/oauth/token",
            None,
            Some(end_user),
            Some(&body),
        )
        .await?;
    let told = answer
        .body
        .get("error_description")
        .and_then(Value::as_str)
        .unwrap_or("an access token");
    println!("   {} {told}", answer.status);
    Ok((answer.status, answer.body))
}

fn expect(answer: &(u16, Value), status: u16) -> Result<(), Failure> {
    if answer.0 == status {
        return Ok(());
    }
    Err(Failure::new(format!(
        "expected {status}, got {}: {}",
        answer.0, answer.1
    )))
}
