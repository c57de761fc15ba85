//! Puts the web page into the program: builds `webui` with npm where its sources changed, and copies the
//! result to where `rust-embed` looks for it.
//!
//! `DLB_WEBUI_DIST=DIR` takes a page that was built elsewhere (cross builds, machines without npm).
//! Nothing is downloaded in that case.

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, exit};

/// What the page is made of, and what its build runs.
const SOURCES: [&str; 10] = [
    "package.json",
    "package-lock.json",
    "openapi.json",
    "index.html",
    "vite.config.ts",
    "svelte.config.js",
    "tsconfig.json",
    "src",
    "public",
    "dev",
];

const NO_PAGE: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>dlb</title>\
    <p>This build of dlb has no page. Its API is described at <a href=\"/api/v1/openapi.json\">/api/v1/openapi.json</a>.";

fn main() {
    println!("cargo:rerun-if-env-changed=DLB_WEBUI_DIST");
    println!("cargo:rerun-if-changed=build.rs");
    let webui = Path::new(&needed("CARGO_MANIFEST_DIR")).join("../../webui");
    let page = PathBuf::from(needed("OUT_DIR")).join("page");
    let outcome = if let Some(ready) = env::var_os("DLB_WEBUI_DIST") {
        take_ready(Path::new(&ready), &page)
    } else if webui.join("package.json").exists() {
        build(&webui).and_then(|()| replace(&webui.join("dist"), &page))
    } else {
        println!("cargo:rerun-if-changed={}", webui.join("package.json").display());
        no_page(&page)
    };
    if let Err(message) = outcome {
        eprintln!("{message}");
        exit(1);
    }
}

fn needed(name: &str) -> String {
    env::var(name).expect("cargo sets this variable for every build script")
}

fn take_ready(ready: &Path, page: &Path) -> Result<(), String> {
    println!("cargo:rerun-if-changed={}", ready.display());
    if !ready.join("index.html").exists() {
        return Err(format!("DLB_WEBUI_DIST={}: there is no index.html in there", ready.display()));
    }
    replace(ready, page)
}

fn build(webui: &Path) -> Result<(), String> {
    for source in SOURCES {
        println!("cargo:rerun-if-changed={}", webui.join(source).display());
    }
    install(webui)?;
    npm(webui, &["run", "build"])
}

/// `npm ci`, unless what lies there was installed from the very same lock file.
fn install(webui: &Path) -> Result<(), String> {
    let wanted = fs::read(webui.join("package-lock.json"))
        .map_err(|cause| format!("reading webui/package-lock.json: {cause}"))?;
    let stamp = webui.join("node_modules/.installed-from");
    if fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    npm(webui, &["ci", "--no-audit", "--no-fund"])?;
    fs::write(&stamp, wanted).map_err(|cause| format!("writing {}: {cause}", stamp.display()))
}

fn npm(webui: &Path, arguments: &[&str]) -> Result<(), String> {
    let line = format!("npm {}", arguments.join(" "));
    let output = Command::new("npm").args(arguments).current_dir(webui).output().map_err(|cause| {
        format!(
            "The page in webui/ is built with npm, and `{line}` could not be started ({cause}).\n\
             Install Node.js 18 or newer with npm (Debian: apt install nodejs npm), or name a page that was \
             built elsewhere: DLB_WEBUI_DIST=/path/to/dist cargo build"
        )
    })?;
    if output.status.success() {
        return Ok(());
    }
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    Err(format!("`{line}` in webui/ failed ({}):\n{out}{err}", output.status))
}

fn no_page(page: &Path) -> Result<(), String> {
    println!("cargo:warning=there is no webui/package.json: building without a page");
    let write = || {
        fs::create_dir_all(page)?;
        fs::write(page.join("index.html"), NO_PAGE)
    };
    write().map_err(|cause: io::Error| format!("writing {}: {cause}", page.display()))
}

fn replace(from: &Path, to: &Path) -> Result<(), String> {
    if to.exists() {
        fs::remove_dir_all(to).map_err(|cause| format!("removing {}: {cause}", to.display()))?;
    }
    copy(from, to).map_err(|cause| format!("copying {} to {}: {cause}", from.display(), to.display()))
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
