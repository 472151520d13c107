#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| postcode_service_fuzz::job_bodies(data));
