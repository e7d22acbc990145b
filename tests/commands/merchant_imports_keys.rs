#![expect(clippy::unwrap_used, reason = "a test")]

use std::fs;

use crate::harness::{Folder, Run, program, tonopago};

fn import(folder: &Folder, csv: impl AsRef<[u8]>) -> Run {
    let file = folder.path("orders.csv");
    fs::write(&file, csv).unwrap();
    let ledger = folder.path("ledger.sqlite");
    let mut run = tonopago(["keys", "import", "--ledger", ledger.to_str().unwrap(), file.to_str().unwrap()]);
    run.err = run.err.replace(file.to_str().unwrap(), "orders.csv");
    run
}

fn list(folder: &Folder) -> String {
    tonopago(["keys", "list", "--reveal", "--ledger", folder.path("ledger.sqlite").to_str().unwrap()]).out
}

#[test]
fn each_line_becomes_a_key() {
    let folder = Folder::new();
    let run = import(
        &folder,
        "\u{feff}Order,Amount,currency,description,key,digits,expires,name,email\r\n\
         ord-1,200.5,,,257139,,2099-12-31,,\r\n\
         ord-2, 10 ,USD,\"Shoes, red\",,10,2099-12-31T18:00:00Z,Juan,juan@example.com\r\n\
         \r\n\
         ord-3,1,MXN,,,,,,\r\n",
    );
    let warned =
        "tonopago: warning: no box takes the key in USD: boxes charge MXN only, and tell callers to try later\n";
    assert_eq!((run.code, run.err.as_str()), (0, warned), "{run:?}");
    let lines: Vec<Vec<&str>> = run.out.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(lines[..2], [vec!["order", "key"], vec!["ord-1", "257139"]]);
    assert_eq!((lines.len(), lines[2][1].len(), lines[3][1].len()), (4, 10, 8));
    let listed = list(&folder);
    for part in ["200.50 MXN", "10.00 USD", "expires 2099-12-31T18:00:00Z", "257139"] {
        assert!(listed.contains(part), "{part}: {listed}");
    }
}

#[test]
fn what_spreadsheets_write_for_commas_is_read_too() {
    for (number, separator) in [";", "\t"].into_iter().enumerate() {
        let folder = Folder::new();
        let csv = format!("order,amount,description\nord-{number},200.5,\"Shoes\"\nord-x,7,\n").replace(',', separator);
        let run = import(&folder, csv);
        assert_eq!((run.code, &*run.err), (0, ""), "{run:?}");
        assert!(run.out.contains(&format!("\nord-{number},")) && list(&folder).contains("200.50 MXN"), "{run:?}");
    }
    let folder = Folder::new();
    let run = import(&folder, "order;amount\nord-1;200,50\n");
    assert_eq!((run.code, &*run.out), (1, ""), "a decimal comma is asked about: {run:?}");
    assert!(run.err.contains("orders.csv:2:2: "), "{run:?}");
}

#[test]
fn every_mistake_is_told_at_once_with_its_place_and_nothing_is_issued() {
    let folder = Folder::new();
    let run = import(
        &folder,
        "order,amount,currency,expires,digits\n\
         ord-1,-5,MXN,,\n\
         ord-2,0,EUR,tomorrow,many\n\
         ,1.005,,,\n\
         ord-3,1,MXN\n\
         ord-4,10,,,\n",
    );
    assert_eq!((run.code, run.out.as_str()), (1, ""));
    assert_eq!(
        run.err,
        "tonopago: no key was issued:\n\
         orders.csv:2:2: \"-5\" is negative: an amount is 0.01 or more\n\
         orders.csv:3:3: \"EUR\" is neither MXN nor USD\n\
         orders.csv:3:2: the amount is zero\n\
         orders.csv:3:4: \"tomorrow\" is no date: write 2026-12-31 or 2026-12-31T18:00:00Z\n\
         orders.csv:3:5: \"many\" is no number of digits\n\
         orders.csv:4:1: there is no order\n\
         orders.csv:4:2: \"1.005\" has more than two decimals\n\
         orders.csv:5: 3 fields, but the first line names 5; quote fields that hold commas\n\
         8 wrong in orders.csv\n"
    );
    assert!(!folder.path("ledger.sqlite").exists(), "not even a ledger was made");
}

#[test]
fn what_the_ledger_refuses_is_told_for_every_line_and_nothing_is_issued() {
    let folder = Folder::new();
    assert_eq!(import(&folder, "order,amount,key\nord-1,1,257139\n").code, 0);
    let run = import(&folder, "order,amount,key\nord-9,1,\nord-1,1,\nord-2,1,257139\nord-3,1,12\nord-9,1,\n");
    assert_eq!(
        run.err,
        "tonopago: no key was issued:\n\
         orders.csv:3: can't issue the key: order \"ord-1\" has a key already\n\
         orders.csv:4: can't issue the key: this key has been issued before\n\
         orders.csv:5: can't issue the key: a key has 6 to 20 digits and nothing else\n\
         orders.csv:6:1: order \"ord-9\" stands on line 2 already\n\
         4 wrong in orders.csv\n"
    );
    assert_eq!(list(&folder).lines().count(), 1);
}

/// "Has a key already" and "has been issued before" were said of what no ledger had.
#[test]
fn what_stands_twice_is_told_with_the_line_it_repeats() {
    let folder = Folder::new();
    let run = import(&folder, "order,amount,key\n\na,1,257139\nb,1,257139\na,2,257140\nc,1,257140\na,1,257140\n");
    assert_eq!(
        run.err,
        "tonopago: no key was issued:\n\
         orders.csv:4:3: this key stands on line 3 already\n\
         orders.csv:5:1: order \"a\" stands on line 3 already\n\
         orders.csv:6:3: this key stands on line 5 already\n\
         orders.csv:7:3: this key stands on line 5 already\n\
         orders.csv:7:1: order \"a\" stands on line 3 already\n\
         5 wrong in orders.csv\n"
    );
    assert_eq!(list(&folder), "");
}

#[test]
fn mistakes_of_keys_and_of_lines_are_told_together() {
    let folder = Folder::new();
    assert_eq!(import(&folder, "order,amount,key\nord-1,1,257139\n").code, 0);
    let run = import(
        &folder,
        "order,amount,key,expires,name,email\n\
         ord-2,x,4111111111111111,2020-01-01,,juan@example.com\n\
         ord-3,x,,,,\n\
         ord-1,1,257139,,Juan,juan@example.com\n\
         ord-3,1,,,,\n\
         ord-4-retry2,1,,2020-01-01T00:00:00Z,,\n",
    );
    assert_eq!(
        run.err,
        "tonopago: no key was issued:\n\
         orders.csv:2:2: \"x\" is not an amount: write pesos and centavos as 200 or 200.50\n\
         orders.csv:2:4: \"2020-01-01\" is over: the key would be no good\n\
         orders.csv:2:6: an e-mail address needs a name beside it: Openpay wants both\n\
         orders.csv:2: can't issue the key: the key looks like a card number, which must not be kept: take another\n\
         orders.csv:3:2: \"x\" is not an amount: write pesos and centavos as 200 or 200.50\n\
         orders.csv:4: can't issue the key: order \"ord-1\" has a key already\n\
         orders.csv:4: can't issue the key: this key has been issued before\n\
         orders.csv:5:1: order \"ord-3\" stands on line 3 already\n\
         orders.csv:6:4: \"2020-01-01T00:00:00Z\" is over: the key would be no good\n\
         orders.csv:6: can't issue the key: an order id does not end in -retry and digits: later attempts of an order have \
         such ids at Openpay\n\
         10 wrong in orders.csv\n"
    );
    assert_eq!((run.code, run.out.as_str(), list(&folder).lines().count()), (1, "", 1));
    let run = import(&folder, "order,amount,email\nord-5,1,juan@example.com\n");
    assert!(run.code == 1 && run.err.contains("orders.csv:1:3: a column \"email\" needs a column \"name\""), "{run:?}");
}

#[test]
fn a_key_the_shipped_menu_does_not_take_is_warned_of() {
    let folder = Folder::new();
    let run = import(&folder, "order,amount,digits\nord-1,1,8\nord-2,1,12\n");
    assert!(run.code == 0 && run.err.contains("a key of 12 digits: the payment menu that ships takes 10"), "{run:?}");
}

/// Keys once were issued before they were written, and nobody had them.
#[test]
fn keys_that_could_not_be_written_are_not_issued() {
    let folder = Folder::new();
    fs::write(folder.path("orders.csv"), "order,amount\nord-1,1\nord-2,1\n").unwrap();
    let ledger = folder.path("ledger.sqlite");
    let issue = ["keys", "issue", "--order", "ord-3", "--amount", "1"].map(std::ffi::OsString::from).to_vec();
    for mut args in [vec!["keys".into(), "import".into(), folder.path("orders.csv").into_os_string()], issue] {
        args.extend(["--ledger".into(), ledger.clone().into_os_string()]);
        let before = list(&folder);
        let full = fs::File::create("/dev/full").unwrap();
        let output = std::process::Command::new(program()).args(&args).stdout(full).output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(1) && error.contains("No space left"), "{error}");
        assert_eq!(list(&folder), before);
        assert_eq!(tonopago(&args).code, 0, "the same again");
    }
    assert_eq!(list(&folder).lines().count(), 3);
}

#[test]
fn a_device_is_no_file_of_orders() {
    let folder = Folder::new();
    let ledger = folder.path("ledger.sqlite");
    let run = tonopago(["keys", "import", "--ledger", ledger.to_str().unwrap(), "/dev/full"]);
    assert!(run.code == 1 && run.err.contains("it is a device or a pipe, not a file"), "{run:?}");
}

#[test]
fn a_file_that_is_none_says_so() {
    let folder = Folder::new();
    for (csv, problem) in [
        ("", "orders.csv:1: there is no column \"order\""),
        ("order,amount\n", "orders.csv:1: there is no order in it"),
        ("order,amonut\n", "orders.csv:1:2: no column \"amonut\"; known are order, amount, "),
        ("order,amount,Order\n", "orders.csv:1:3: column \"Order\" is there twice"),
    ] {
        let run = import(&folder, csv);
        assert!(run.code == 1 && run.err.contains(problem), "{csv:?}: {run:?}");
    }
    let run = import(&folder, b"order,amount,name\na,1.00,Ana\nb,2.00,Mu\xf1oz\n");
    let problem = "orders.csv:3: character 10 of the line is not UTF-8: save the file as UTF-8, which Excel calls";
    assert!(run.code == 1 && run.err.contains(problem), "{run:?}");
}
