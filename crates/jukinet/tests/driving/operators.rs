//! Terminals, cards and certificates.

use std::fs;
use std::path::Path;

use axum::Router;
use axum::routing::post;
use juki_admin::Problem;
use juki_domain::{ErrorCode, Lang};
use serde_json::json;

use crate::network::{Network, keep, printed, said};

#[tokio::test]
async fn an_operator_logs_in_with_the_card_of_the_folder_and_asks() {
    let network = Network::new();
    let routes = Router::new()
        .route("/operator/login", post(keep))
        .route("/query", post(keep));
    network.serve("agency-mhlw", routes).await;
    let output = network
        .run(&[
            "operator",
            "login",
            "net",
            "--card",
            "agency-mhlw",
            "--json",
        ])
        .await;
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(printed(&output)["done"]["count"], 2);
    let heard = network.last_heard();
    let card = network
        .net()
        .join("cards/agency-mhlw.card")
        .canonicalize()
        .unwrap();
    assert_eq!(Path::new(heard["card"].as_str().unwrap()), card);
    assert_eq!(
        heard["pin"],
        fs::read_to_string(card.with_extension("pin")).unwrap()
    );
    network
        .run(&[
            "query",
            "net",
            "--affair",
            "war-bereaved-pension",
            "--code",
            "91234567893",
        ])
        .await;
    assert_eq!(
        network.last_heard(),
        json!({"affair": "war-bereaved-pension", "code": "91234567893"})
    );
}

#[tokio::test]
async fn a_refusal_is_told_with_its_code_in_the_readers_language() {
    async fn refuse(headers: axum::http::HeaderMap) -> Problem {
        Problem::new(ErrorCode::NoLegalBasis, juki_admin::accepted_lang(&headers))
    }
    let network = Network::new();
    network
        .serve("agency-mhlw", Router::new().route("/query", post(refuse)))
        .await;
    for (lang, name) in [(Lang::Ja, "ja"), (Lang::En, "en")] {
        let output = network
            .run(&[
                "query", "net", "--affair", "x", "--code", "1", "--lang", name,
            ])
            .await;
        assert_eq!(output.status.code(), Some(1));
        let explanation = ErrorCode::NoLegalBasis.explain(lang);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            error.starts_with("JKA-1101 ") && error.contains(explanation.todo),
            "{error}"
        );
        assert!(output.stdout.is_empty());
    }
}

#[tokio::test]
async fn a_certificate_is_revoked_at_the_national_center_and_only_of_a_known_node() {
    let network = Network::new();
    network
        .serve("national", Router::new().route("/pki/revoke", post(keep)))
        .await;
    let output = network.run(&["pki", "revoke", "net", "cs-355011"]).await;
    assert!(output.status.success(), "{}", said(&output));
    let certificate = network.net().join("nodes/cs-355011/keys/node.crt");
    let chain = juki_pki::read_certificates(&certificate).unwrap();
    let serial = juki_pki::serial_of(&chain[0]).unwrap();
    let serial: String = serial.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut heard = network.last_heard();
    let act = heard["act"].take();
    assert_eq!(
        heard,
        json!({"node": "cs-355011", "serial": serial, "act": null})
    );
    // The act itself is judged where it is done.
    assert!(act.as_str().unwrap().contains(&serial), "{act}");
    assert_eq!(
        network
            .run(&["pki", "revoke", "net", "cs-999999"])
            .await
            .status
            .code(),
        Some(2)
    );
    assert_eq!(network.heard.lock().unwrap().len(), 1);
}
