//! The secrets by which webhooks are signed: one for all tenants, or one for each.

use std::collections::HashMap;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use standardwebhooks::Webhook;

/// Bytes of a secret, by the scheme.
const BYTES: std::ops::RangeInclusive<usize> = 24..=64;
const PREFIX: &str = "whsec_";
/// The most secrets of a tenant: the new one and the old one.
const MOST: usize = 2;

/// The secrets that webhooks are signed with.
///
/// Reads lines with a secret, `whsec_` and 24 to 64 bytes in base64, which is for all tenants without a line, or
/// with the name of a tenant and its secret. Each line may have a second secret, for the time in which receivers
/// change from one to the other.
#[derive(Default)]
pub struct WebhookSecrets {
    /// The secrets for tenants that are not listed.
    usual: Vec<Webhook>,
    tenants: HashMap<String, Vec<Webhook>>,
}

impl WebhookSecrets {
    fn of(&self, tenant: &str) -> &[Webhook] {
        self.tenants.get(tenant).unwrap_or(&self.usual)
    }

    /// Returns whether there is a secret to sign for this tenant.
    pub fn has(&self, tenant: &str) -> bool {
        !self.of(tenant).is_empty()
    }

    /// Returns the value of the header `webhook-signature`: a signature with each secret, separated by spaces.
    ///
    /// # Errors
    /// If there is no secret for this tenant.
    pub fn sign(&self, tenant: &str, id: &str, timestamp: i64, body: &[u8]) -> Result<String, String> {
        let signed = self.of(tenant).iter().map(|webhook| webhook.sign(id, timestamp, body));
        let signatures: Vec<String> = signed.collect::<Result<_, _>>().map_err(|e| e.to_string())?;
        if signatures.is_empty() {
            return Err("there is no longer a secret for this tenant".to_owned());
        }
        Ok(signatures.join(" "))
    }
}

impl FromStr for WebhookSecrets {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut secrets = Self::default();
        for (n, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            // The line is not quoted: it holds secrets.
            let wrong = |why: &str| format!("line {} of the webhook secrets: {why}", n + 1);
            let at = line.find(PREFIX).ok_or_else(|| {
                wrong("not valid: write whsec_ and 24 to 64 random bytes in base64, after the tenant's name if it is for one")
            })?;
            let (tenant, given) = line.split_at(at);
            let tenant = tenant.trim();
            let mut webhooks = Vec::new();
            for secret in given.split_whitespace() {
                webhooks.push(webhook(secret).ok_or_else(|| {
                    wrong("a secret is not valid: write whsec_ and 24 to 64 random bytes in base64")
                })?);
            }
            let of = match tenant {
                "" => &mut secrets.usual,
                tenant => secrets.tenants.entry(tenant.to_owned()).or_default(),
            };
            of.append(&mut webhooks);
            if of.len() > MOST {
                return Err(wrong("too many secrets: give the new one and the old one"));
            }
        }
        if secrets.usual.is_empty() && secrets.tenants.is_empty() {
            return Err(
                "there is no webhook secret: write whsec_ and 24 to 64 random bytes in base64".to_owned()
            );
        }
        Ok(secrets)
    }
}

fn webhook(secret: &str) -> Option<Webhook> {
    let bytes = STANDARD.decode(secret.strip_prefix(PREFIX)?).ok()?;
    if BYTES.contains(&bytes.len()) { Webhook::from_bytes(bytes).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(n: u8) -> String {
        format!("{PREFIX}{}", STANDARD.encode([n; 32]))
    }

    #[test]
    fn tenant_with_its_own_secret_is_signed_for_with_it_and_others_with_the_usual_one() {
        let text = format!("# comment\n{}\nacme ltd {} {}\n", secret(1), secret(2), secret(3));
        let secrets: WebhookSecrets = text.parse().unwrap();
        let alone = |n: u8| Webhook::new(&secret(n)).unwrap().sign("m", 1, b"x").unwrap();
        assert_eq!(secrets.sign("", "m", 1, b"x").unwrap(), alone(1));
        assert_eq!(secrets.sign("other", "m", 1, b"x").unwrap(), alone(1));
        assert_eq!(secrets.sign("acme ltd", "m", 1, b"x").unwrap(), format!("{} {}", alone(2), alone(3)));
        let secrets: WebhookSecrets = format!("acme {}", secret(1)).parse().unwrap();
        assert!(secrets.has("acme") && !secrets.has("") && secrets.sign("", "m", 1, b"x").is_err());
    }

    #[test]
    fn secrets_that_are_not_valid_are_refused_and_not_shown() {
        let three = format!("{}\n{}\n{}", secret(1), secret(2), secret(3));
        for text in ["", "# none", "acme", "whsec_", "whsec_c2hvcnQ=", "acme whsec_c2hvcnQ=", &three] {
            let error = text.parse::<WebhookSecrets>().map(drop).unwrap_err();
            assert!(!error.contains("c2hvcnQ") && !error.contains("AQEB"), "{error}");
        }
    }
}
