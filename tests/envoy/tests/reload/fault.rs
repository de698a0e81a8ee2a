//! The shipped module with a fault in it: one of its callbacks traps.
//!
//! Nothing that comes from outside makes the filter trap, so the fault is written into the bytes: a
//! function stands before the callback, counts its calls, and traps from the nth on. Everything else
//! is the module as it ships.

use std::convert::Infallible;
use std::path::PathBuf;

use lychgate_tests_envoy::{Scratch, wasm};
use wasm_encoder::reencode::{Error, Reencode, utils};
use wasm_encoder::{
    BlockType, CodeSection, ConstExpr, ExportKind, ExportSection, Function, FunctionSection,
    GlobalSection, GlobalType, Module, ValType,
};
use wasmparser::{
    CodeSectionReader, ExportSectionReader, ExternalKind, FunctionSectionReader,
    GlobalSectionReader, Parser, Payload, TypeRef,
};

/// Writes the module whose `callback` traps from its nth call on; a new VM counts anew.
pub(crate) fn module(scratch: &Scratch, callback: &str, nth: i32) -> PathBuf {
    let bytes = std::fs::read(wasm::filter()).expect("the filter is there");
    let mut fault = Fault { callback, nth, ..Fault::find(&bytes, callback) };
    let mut module = Module::new();
    fault.parse_core_module(&mut module, Parser::new(0), &bytes).expect("a module");
    let path = format!("{callback}-{nth}.wasm");
    scratch.write(&path, module.finish())
}

/// Where the callback is in the module, and where what is added will be.
#[derive(Debug)]
struct Fault<'a> {
    callback: &'a str,
    nth: i32,
    /// The callback's own function, its type and the number of its parameters.
    function: u32,
    signature: u32,
    parameters: u32,
    /// The first free numbers.
    added_function: u32,
    added_global: u32,
}

impl<'a> Fault<'a> {
    fn find(bytes: &[u8], callback: &'a str) -> Self {
        let (mut types, mut functions, mut globals, mut function) = (vec![], vec![], 0, None);
        for payload in Parser::new(0).parse_all(bytes) {
            match payload.expect("a module") {
                Payload::TypeSection(section) => {
                    types.extend(section.into_iter_err_on_gc_types().map(|ty| ty.expect("a type")));
                }
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        if let TypeRef::Func(signature) = import.expect("an import").ty {
                            functions.push(signature);
                        }
                    }
                }
                Payload::FunctionSection(section) => {
                    functions.extend(section.into_iter().map(|ty| ty.expect("a type")));
                }
                Payload::GlobalSection(section) => globals = section.count(),
                Payload::ExportSection(section) => {
                    let mut exports = section.into_iter().map(|export| export.expect("an export"));
                    function = exports.find(|export| export.name == callback).map(|e| e.index);
                }
                _ => {}
            }
        }
        let function = function.expect("the module exports it");
        let signature = functions[function as usize];
        Self {
            callback,
            nth: 0,
            function,
            signature,
            parameters: u32::try_from(types[signature as usize].params().len()).expect("few"),
            added_function: u32::try_from(functions.len()).expect("few"),
            added_global: globals,
        }
    }

    /// Counts, traps from the nth call on, and calls the callback otherwise.
    fn body(&self) -> Function {
        let mut function = Function::new([]);
        let mut code = function.instructions();
        code.global_get(self.added_global).i32_const(1).i32_add().global_set(self.added_global);
        code.global_get(self.added_global).i32_const(self.nth).i32_ge_u();
        code.if_(BlockType::Empty).unreachable().end();
        for parameter in 0..self.parameters {
            code.local_get(parameter);
        }
        code.call(self.function).end();
        function
    }
}

impl Reencode for Fault<'_> {
    type Error = Infallible;

    fn parse_function_section(
        &mut self,
        functions: &mut FunctionSection,
        section: FunctionSectionReader<'_>,
    ) -> Result<(), Error<Infallible>> {
        utils::parse_function_section(self, functions, section)?;
        functions.function(self.signature);
        Ok(())
    }

    fn parse_global_section(
        &mut self,
        globals: &mut GlobalSection,
        section: GlobalSectionReader<'_>,
    ) -> Result<(), Error<Infallible>> {
        utils::parse_global_section(self, globals, section)?;
        let counter = GlobalType { val_type: ValType::I32, mutable: true, shared: false };
        globals.global(counter, &ConstExpr::i32_const(0));
        Ok(())
    }

    fn parse_export_section(
        &mut self,
        exports: &mut ExportSection,
        section: ExportSectionReader<'_>,
    ) -> Result<(), Error<Infallible>> {
        for export in section {
            let export = export?;
            if export.name == self.callback && export.kind == ExternalKind::Func {
                exports.export(export.name, ExportKind::Func, self.added_function);
            } else {
                utils::parse_export(self, exports, export)?;
            }
        }
        Ok(())
    }

    fn parse_code_section(
        &mut self,
        code: &mut CodeSection,
        section: CodeSectionReader<'_>,
    ) -> Result<(), Error<Infallible>> {
        utils::parse_code_section(self, code, section)?;
        code.function(&self.body());
        Ok(())
    }
}
