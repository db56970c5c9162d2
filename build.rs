//! Hashes the sources into `BESTIARY_SOURCE`, so that two builds of one version number can be told apart.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("set by cargo"));
    let mut files = vec![root.join("Cargo.toml")];
    list(&root.join("src"), &mut files)?;
    files.sort();
    let mut hash = Hash::default();
    for file in &files {
        let name = file.strip_prefix(&root).expect("below the root");
        for part in name.components() {
            hash.add(part.as_os_str().as_encoded_bytes());
        }
        // Line ends of a checkout on Windows are not a difference.
        hash.add(&fs::read(file)?.into_iter().filter(|&byte| byte != b'\r').collect::<Vec<u8>>());
    }
    println!("cargo:rerun-if-changed=Cargo.toml");
    println!("cargo:rerun-if-changed=src");
    println!("cargo:rustc-env=BESTIARY_SOURCE={:032x}", hash.0);
    Ok(())
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            list(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

/// FNV-1a with 128 bits (Fowler, Noll and Vo; RFC 9923): tells sources apart, and is no protection against forgery.
struct Hash(u128);

impl Default for Hash {
    fn default() -> Hash {
        Hash(0x6c62272e07bb014262b821756295c58d)
    }
}

impl Hash {
    fn add(&mut self, bytes: &[u8]) {
        for &byte in bytes.iter().chain(&[0]) {
            self.0 = (self.0 ^ u128::from(byte)).wrapping_mul(0x0000000001000000000000000000013b);
        }
    }
}
