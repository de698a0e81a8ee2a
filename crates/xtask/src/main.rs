//! Writes the JavaScript glue of a module: `lychgate-xtask glue WASM OUT NAME`.
//!
//! Both forms of the glue go with the same module, so only one is written: `NAME_bg.wasm`, with
//! `NAME.js` (ES module, the host brings the compiled module) and `NAME.cjs` (Node reads the file
//! itself).
#![expect(clippy::std_instead_of_core, clippy::print_stderr, reason = "a command for the build")]

use std::error::Error;
use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;
use std::{env, fs};

use wasm_bindgen_cli_support::Bindgen;

fn main() -> ExitCode {
    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    let [command, wasm, out, name] = arguments.as_slice() else { return usage() };
    let Some(name) = name.to_str().filter(|_| command == "glue") else { return usage() };
    match glue(Path::new(wasm), Path::new(out), name) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}

fn usage() -> ExitCode {
    eprintln!("usage: lychgate-xtask glue WASM OUT NAME");
    ExitCode::from(2)
}

fn glue(wasm: &Path, out: &Path, name: &str) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(out)?;
    let (web, node) = (out.join("web"), out.join("node"));
    bindgen(wasm, name).web(true)?.omit_default_module_path(true).generate(&web)?;
    bindgen(wasm, name).nodejs(true)?.generate(&node)?;
    let module = format!("{name}_bg.wasm");
    if fs::read(web.join(&module))? != fs::read(node.join(&module))? {
        return Err("the two forms of the glue want different modules".into());
    }
    fs::rename(web.join(&module), out.join(&module))?;
    fs::rename(web.join(format!("{name}.js")), out.join(format!("{name}.js")))?;
    fs::rename(node.join(format!("{name}.js")), out.join(format!("{name}.cjs")))?;
    fs::remove_dir_all(web)?;
    fs::remove_dir_all(node)?;
    Ok(())
}

fn bindgen(wasm: &Path, name: &str) -> Bindgen {
    let mut bindgen = Bindgen::new();
    bindgen
        .input_path(wasm)
        .out_name(name)
        .typescript(false)
        // js/scripts/build sorts the functions by their names, and removes those then.
        .remove_name_section(false)
        .remove_producers_section(true)
        .reset_state_function(true);
    bindgen
}
