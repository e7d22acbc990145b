//! The `services:` of a configuration: authorizer, gateway, ledger; or a demonstration of all of them.

use std::path::PathBuf;

use super::document::Context;
use super::places;
use crate::authorizer::{AuthorizerConfig, MAX_CUSTOMER_CHARACTERS, Profile, is_email};
use crate::http::{Authorities, Credentials, Endpoint, Secret, SigningSecret};
use crate::money::{Currency, Money};
use crate::openpay::{self, Payer, PrivateKey};
use crate::payment::NotifierConfig;
use crate::text_file;
use crate::yaml::{Map, Value};

/// Who is asked, who charges, where it is written down.
pub enum Services {
    /// Everything on this machine and no money: authorizer, stand-in for Openpay, ledger; their files in this folder.
    Demo(PathBuf),
    /// The merchant's authorizer and Openpay.
    Live(Box<Live>),
}

/// Services that charge.
pub struct Live {
    /// The ledger's file.
    pub ledger: PathBuf,
    /// The merchant's side.
    pub authorizer: AuthorizerConfig,
    /// Openpay.
    pub openpay: openpay::Config,
    /// Who pays, where the merchant does not say.
    pub payer: Payer,
    /// Where the merchant is told how payments ended, if at all.
    pub notify: Option<NotifierConfig>,
}

impl Services {
    /// Whether nothing is charged for real.
    pub const fn is_demo(&self) -> bool {
        matches!(self, Self::Demo(_))
    }
}

pub(super) fn read(value: &Value<'_>, context: &Context<'_>) -> Option<Services> {
    let map = value.map(&["demo", "ledger", "authorizer", "openpay", "notify"])?;
    if let Some(folder) = map.optional("demo") {
        if ["ledger", "authorizer", "openpay", "notify"].iter().any(|name| map.has(name)) {
            folder.problem_of_name("services are either a demonstration or real", "remove demo, or all the others");
            return None;
        }
        return places::demo(&folder, context).map(Services::Demo);
    }
    let ledger = map.required("ledger").and_then(|ledger| places::file(&ledger, context));
    let authorizer = map.required("authorizer").and_then(|value| read_authorizer(&value, context));
    let openpay = map.required("openpay").and_then(|value| read_openpay(&value, context));
    let notify = map.optional("notify").map(|value| read_notify(&value, context));
    let (openpay, payer) = openpay?;
    let notify = notify.map_or(Some(None), |notify| notify.map(Some))?;
    Some(Services::Live(Box::new(Live { ledger: ledger?, authorizer: authorizer?, openpay, payer, notify })))
}

fn read_notify(value: &Value<'_>, context: &Context<'_>) -> Option<NotifierConfig> {
    let map = value.map(&["url", "secret_file", "ca_file"])?;
    let endpoint = map.required("url").and_then(|url| read_endpoint(&url, None));
    let secret = secret(value, &map, "secret_file", context, Secret::ReportSecret);
    let secret = secret.and_then(|text| {
        let parsed = SigningSecret::new(&text);
        let told = parsed.map_err(|error| error.to_string());
        told.map_err(|error| blame(value, &map, "secret_file", &error, "the merchant has the same secret")).ok()
    });
    let authorities = read_authorities(&map, context);
    Some(NotifierConfig { authorities: authorities?, ..NotifierConfig::new(endpoint?, secret?) })
}

/// The certificates in a file: of a merchant's own authority, which the public ones know nothing of, or of one that is newer
/// than this program; nothing if no file is named, which is good, too.
fn read_authorities(map: &Map<'_>, context: &Context<'_>) -> Option<Option<Authorities>> {
    let Some(file) = map.optional("ca_file") else { return Some(None) };
    let read = Authorities::from_file(&context.path(file.text()?));
    let cure = "name a PEM file with the certificate of whoever issued the service's";
    read.map(Some).map_err(|error| file.problem(error.to_string(), cure)).ok()
}

fn read_authorizer(value: &Value<'_>, context: &Context<'_>) -> Option<AuthorizerConfig> {
    let map = value.map(&["url", "user", "password_file", "profile", "max_amount", "ca_file"])?;
    let endpoint = map.required("url").and_then(|url| read_endpoint(&url, None));
    let user = map.optional("user").map_or(Some("ivr"), |user| user.text());
    let password = secret(value, &map, "password_file", context, Secret::AuthorizerPassword);
    let profile =
        map.optional("profile").map_or_else(|| Some(Profile::default()), |value| read_profile(&value, context));
    let max_amount =
        map.optional("max_amount").map_or(Some(AuthorizerConfig::MAX_AMOUNT), |amount| read_amount(&amount));
    let authorities = read_authorities(&map, context);
    let config = AuthorizerConfig::new(endpoint?, Credentials::new(user?, &password?));
    Some(AuthorizerConfig { profile: profile?, max_amount: max_amount?, authorities: authorities?, ..config })
}

/// Pesos and centavos, more than none.
fn read_amount(value: &Value<'_>) -> Option<Money> {
    let cure = "write pesos and centavos, such as 10000.00";
    let parsed = Money::parse(value.text()?, Currency::Mxn);
    let amount = parsed.map_err(|error| value.problem(error.to_string(), cure)).ok()?;
    if amount.centavos == 0 {
        value.problem("nothing could be charged", cure);
        return None;
    }
    Some(amount)
}

/// A secret from the file named, or from its variable.
fn secret(
    value: &Value<'_>,
    map: &Map<'_>,
    name: &str,
    context: &Context<'_>,
    wanted: Secret,
) -> Option<zeroize::Zeroizing<String>> {
    let file = map.optional(name);
    let path = match &file {
        Some(file) => Some(context.path(file.text()?)),
        None => None,
    };
    match wanted.read(path.as_deref()) {
        Ok(secret) => Some(secret),
        Err(error) => {
            let cure = format!("write the secret alone into a file, chmod 600 it, and name it as {name}");
            blame(value, map, name, &error.to_string(), &cure);
            None
        }
    }
}

/// Tells a problem of a secret, at the name of its file if it is in one.
fn blame(value: &Value<'_>, map: &Map<'_>, name: &str, problem: &str, cure: &str) {
    match map.optional(name) {
        Some(file) => file.problem(problem, cure),
        None => value.problem_of_name(problem, cure),
    }
}

fn read_profile(value: &Value<'_>, context: &Context<'_>) -> Option<Profile> {
    let path = context.path(value.text()?);
    let read = text_file::read(&path).map_err(|error| error.to_string());
    let parsed = read.and_then(|text| Profile::parse(&text).map_err(|error| error.to_string()));
    let told = parsed.map_err(|error| format!("{}: {error}", path.display()));
    told.map_err(|error| value.problem(error, "`tonopago authorizer profile` prints the default to be changed")).ok()
}

fn read_endpoint(value: &Value<'_>, named: Option<&str>) -> Option<Endpoint> {
    let address = match named {
        Some(address) => address,
        None => value.text()?,
    };
    Endpoint::parse(address).map_err(|error| value.problem(error.to_string(), "write https://host/path")).ok()
}

fn read_openpay(value: &Value<'_>, context: &Context<'_>) -> Option<(openpay::Config, Payer)> {
    let map = value.map(&["url", "merchant", "key_file", "payer", "ca_file"])?;
    let url = map.required("url").and_then(|url| read_url(&url));
    let merchant = map.required("merchant").and_then(|merchant| Some((merchant.text()?.to_owned(), merchant)));
    let key = secret(value, &map, "key_file", context, Secret::OpenpayKey).and_then(|key| {
        let parsed = PrivateKey::parse(&key);
        let told = parsed.map_err(|error| error.to_string());
        told.map_err(|error| blame(value, &map, "key_file", &error, "use the private key, sk_...")).ok()
    });
    let payer = map.required("payer").and_then(|payer| read_payer(&payer));
    let authorities = read_authorities(&map, context);
    let ((merchant, place), key) = (merchant?, key?);
    let config = openpay::Config::new(&url?, &merchant, key);
    let config = config.map_err(|error| place.problem(error.to_string(), "copy it from Openpay's dashboard")).ok();
    Some((openpay::Config { authorities: authorities?, ..config? }, payer?))
}

/// `sandbox`, `production` or an address.
fn read_url(value: &Value<'_>) -> Option<String> {
    let address = match value.text()? {
        "sandbox" => openpay::Config::SANDBOX,
        "production" => openpay::Config::PRODUCTION,
        address => address,
    };
    read_endpoint(value, Some(address)).map(|endpoint| endpoint.as_str().to_owned())
}

fn read_payer(value: &Value<'_>) -> Option<Payer> {
    let map = value.map(&["name", "email"])?;
    let name = map.required("name").and_then(|name| {
        let text = name.text()?;
        if text.chars().count() > MAX_CUSTOMER_CHARACTERS || !text.chars().any(char::is_alphanumeric) {
            name.expected(
                &format!("a name of at most {MAX_CUSTOMER_CHARACTERS} characters"),
                "Openpay takes no longer one",
            );
            return None;
        }
        Some(text.to_owned())
    });
    let email = map.required("email").and_then(|email| {
        let text = email.text()?;
        if !is_email(text) {
            email.expected("an e-mail address", "Openpay wants one of each payer: write one of yours");
            return None;
        }
        Some(text.to_owned())
    });
    Some(Payer { name: name?, last_name: None, email: email?, phone_number: None })
}
