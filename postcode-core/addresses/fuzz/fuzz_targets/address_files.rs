#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| postcode_addresses_fuzz::address_files(data));
