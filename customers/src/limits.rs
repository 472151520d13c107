//! How much a customer, and a file of them, may have.

/// The longest name, in characters.
pub const MAX_NAME: usize = 200;
/// The longest email address, in bytes (RFC 5321 section 4.5.3.1.3, without its angle brackets).
pub const MAX_EMAIL: usize = 254;
/// The longest text that is parsed as a postcode, in bytes, with room for extra spaces.
pub const MAX_POSTCODE: usize = 64;
/// The most address lines above the postcode.
pub const MAX_ADDRESS_LINES: usize = 10;
/// The longest address line, in characters.
pub const MAX_ADDRESS_LINE: usize = 200;
/// The longest notes, in characters.
pub const MAX_NOTES: usize = 4000;
/// The most references to other systems.
pub const MAX_REFERENCES: usize = 20;
/// The longest name of another system, and the longest id in it, in characters.
pub const MAX_REFERENCE: usize = 100;
/// The most addresses of one customer.
pub const MAX_ADDRESSES: usize = 20;

/// The largest file, in bytes.
pub const MAX_IMPORT: usize = 64 << 20;
/// The most rows of a file.
pub const MAX_IMPORT_ROWS: usize = 200_000;
/// The most imports that may wait or run at once.
pub const MAX_IMPORTS: usize = 50;
/// The bytes of rows that wait or failed, over all imports, from which on no file is accepted.
pub const MAX_IMPORT_BYTES: i64 = 1 << 30;
