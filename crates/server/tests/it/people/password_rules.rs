//! The rules of new passwords are the same on every way: sign-up, Management API; each with its own documented words.

use serde_json::{Value, json};
use testkit::{PASSWORD, World, on_both_engines};

use super::{ANA, HOME, NEW_PASSWORD, ask_for_reset, new_person, options, post};

on_both_engines! {
    async fn each_rule_has_its_body_at_sign_up_and_its_text_in_the_management_api(world: World) {
        let backend = world.backend(true).await;
        let admin = world.admin().await;
        let personal = json!({"password_no_personal_info": {"enable": true}});
        let dictionary = json!({"passwordPolicy": "low", "password_dictionary": {"enable": true, "dictionary": ["Portcullis-2024"]}});
        for (set, password, name, text) in [
            (json!({"passwordPolicy": "excellent"}), "aaaB-12345x", "PasswordStrengthError", "Password is too weak"),
            (json!({"passwordPolicy": "low", "password_complexity_options": {"min_length": 20}}), "short-enough", "PasswordStrengthError", "Password is too weak"),
            (dictionary.clone(), "portcullis-2024", "PasswordDictionaryError", "Password is too common"),
            (dictionary, "password1", "PasswordDictionaryError", "Password is too common"),
            (personal.clone(), "Zz-lovelace-77", "PasswordNoUserInfoError", "Password contains user information"),
            (personal, "Zz-gold-digger-7", "PasswordNoUserInfoError", "Password contains user information"),
        ] {
            options(&backend, set.clone()).await;
            let mut body = new_person(&backend, "lovelace@example.com");
            body["password"] = json!(password);
            body["user_metadata"] = json!({"name": "Gold Digger"});
            let told = post(&world, HOME, "/dbconnections/signup", &[], &body).await.expect(400).json();
            assert_eq!((&told["name"], &told["message"], &told["code"], &told["statusCode"]),
                (&json!(name), &json!(text), &json!("invalid_password"), &json!(400)), "{set}");
            let body = json!({
                "connection": "Users", "email": "lovelace@example.com", "password": password, "user_metadata": {"name": "Gold Digger"},
            });
            let told = admin.post("users", body).await.expect(400).json();
            assert_eq!(told["message"], format!("{name}: {text}"), "{set}");
        }
        assert!(admin.get("users").await.json().as_array().unwrap().is_empty());
    }

    async fn a_weak_password_is_told_rule_by_rule(world: World) {
        let backend = world.backend(true).await;
        let mut body = new_person(&backend, ANA);
        body["password"] = json!("abc");
        let told = post(&world, HOME, "/dbconnections/signup", &[], &body).await.expect(400).json();
        assert_eq!(told["description"]["verified"], false);
        assert_eq!(told["description"]["rules"][0], json!({
            "message": "At least %d characters in length", "format": [8], "code": "lengthAtLeast", "verified": false,
        }));
        assert_eq!(told["description"]["rules"][1]["code"], "containsAtLeast");
        assert!(told["policy"].as_str().unwrap().starts_with("* At least 8 characters in length\n* Contain at least 3"), "{told}");
    }

    async fn passwords_do_not_come_again_as_far_back_as_the_directory_remembers(world: World) {
        let backend = world.backend(true).await;
        options(&backend, json!({"password_history": {"enable": true, "size": 3}})).await;
        let id = backend.add_user(ANA).await.replace('|', "%7C");
        let admin = world.admin().await;
        let set = async |password: &str| {
            world.clock.advance(std::time::Duration::from_secs(1));
            let answer = admin.patch(&format!("users/{id}"), json!({"connection": "Users", "password": password})).await;
            (answer.status, answer.json()["message"].clone())
        };
        let reused = (400, json!("PasswordHistoryError: Password has previously been used"));
        assert_eq!(set(PASSWORD).await, reused, "the present one");
        assert_eq!(set(NEW_PASSWORD).await.0, 200);
        assert_eq!(set(PASSWORD).await, reused);
        assert_eq!(set("Third-Horse-9-Battery").await.0, 200);
        assert_eq!(set(PASSWORD).await, reused);
        assert_eq!(set(NEW_PASSWORD).await, reused);
        assert_eq!(set("Fourth-Horse-9-Battery").await.0, 200);
        assert_eq!(set(PASSWORD).await.0, 200, "three changes ago");
        options(&backend, json!({"password_history": {"enable": false, "size": 3}})).await;
        assert_eq!(set(PASSWORD).await.0, 200, "switched off");
    }

    async fn options_that_could_not_be_kept_are_refused(world: World) {
        let backend = world.backend(true).await;
        let admin = world.admin().await;
        let path = format!("connections/{}", backend.connection_id);
        let long: Value = json!(["x".repeat(51)]);
        for options in [
            json!({"password_history": {"enable": true, "size": 25}}),
            json!({"password_history": {"enable": true, "size": 0}}),
            json!({"password_dictionary": {"enable": true, "dictionary": long}}),
            json!({"password_dictionary": {"enable": true, "dictionary": vec!["x"; 201]}}),
            json!({"validation": {"username": {"min": 9, "max": 8}}}),
            json!({"validation": {"username": {"min": 16}}}),
        ] {
            admin.patch(&path, json!({"options": options})).await.expect(400);
        }
    }

    async fn breached_passwords_are_refused_where_the_shield_of_the_stage_blocks(world: World) {
        let backend = world.backend(true).await;
        backend.add_user(ANA).await;
        let admin = world.admin().await;
        let breached = "AUTH0-TEST-Horse-7";
        let mut body = new_person(&backend, "eve@example.com");
        body["password"] = json!(breached);
        let shield = "attack-protection/breached-password-detection";
        let stage = json!({"enabled": true, "stage": {
            "pre-user-registration": {"shields": ["block"]}, "pre-change-password": {"shields": ["block"]},
        }});
        admin.patch(shield, stage).await.expect(200);
        // An address in use hears the same as a new one.
        for email in ["eve@example.com", ANA] {
            body["email"] = json!(email);
            let told = post(&world, HOME, "/dbconnections/signup", &[], &body).await.expect(400).json();
            assert_eq!(told["code"], "password_leaked");
        }
        assert!(!admin.events("signup_pwd_leak").await.is_empty());
        ask_for_reset(&backend, HOME, ANA).await.expect(200);
        let link = world.mailbox(ANA).newest_link().await;
        let page = world.visitor(HOME).open(&link).await.expect(200);
        let told = world.visitor(HOME).press(&page, &[("password", breached), ("confirmation", breached)]).await.expect(400);
        assert!(told.text.contains("stolen"), "{}", told.text);
        assert!(!admin.events("reset_pwd_leak").await.is_empty());
        let new = [("password", NEW_PASSWORD), ("confirmation", NEW_PASSWORD)];
        world.visitor(HOME).press(&page, &new).await.expect(200);
        admin.patch(shield, json!({"stage": {"pre-user-registration": {"shields": []}}})).await.expect(200);
        body["email"] = json!("eve@example.com");
        post(&world, HOME, "/dbconnections/signup", &[], &body).await.expect(200);
    }
}
