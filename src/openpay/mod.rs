//! Openpay's API: client, types, error table, local sandbox.
