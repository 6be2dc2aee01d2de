//! Which language a file is in, judged by its name.

use std::collections::HashMap;
use std::sync::LazyLock;

/// Describes a language.
#[derive(Debug)]
pub struct Language {
    /// The name.
    pub name: &'static str,
    /// Its colour, as `#rrggbb`.
    pub colour: &'static str,
    /// Tells whether it counts in statistics; prose and data do not.
    pub counted: bool,
    endings: &'static str,
}

const fn code(name: &'static str, colour: &'static str, endings: &'static str) -> Language {
    Language { name, colour, counted: true, endings }
}

const fn data(name: &'static str, colour: &'static str, endings: &'static str) -> Language {
    Language { name, colour, counted: false, endings }
}

/// All languages: name, colour, and the extensions (`.x`) and whole file names that mean it.
static LANGUAGES: &[Language] = &[
    code("ABAP", "#c9702f", ".abap"),
    code("Ada", "#2f8f5b", ".adb .ads"),
    code("Agda", "#3f6f8f", ".agda"),
    code("Apex", "#2b7fc2", ".apex"),
    code("AppleScript", "#6b7885", ".applescript .scpt"),
    code("Arduino", "#1c8c8f", ".ino"),
    code("Assembly", "#7a5c2e", ".asm .s .nasm"),
    code("Astro", "#e8590c", ".astro"),
    code("Awk", "#8a8a3c", ".awk .gawk"),
    code("Ballerina", "#e5533d", ".bal"),
    code("Batch", "#9ab531", ".bat .cmd"),
    code("Bicep", "#4c78d6", ".bicep"),
    code("BitBake", "#1f9d8a", ".bb .bbappend .bbclass"),
    code("C", "#5c6a78", ".c .h .idc"),
    code("C#", "#2f8a3a", ".cs .csx .cake"),
    code("C++", "#d6457b", ".cpp .cc .cxx .hpp .hh .hxx .c++ .h++ .ipp .tpp .inl"),
    code("CMake", "#c94a3f", ".cmake CMakeLists.txt"),
    code("COBOL", "#4a6f8a", ".cob .cbl .cpy"),
    code("CSS", "#6a3fa0", ".css"),
    code("Cairo", "#e8704a", ".cairo"),
    code("Chapel", "#7fb547", ".chpl"),
    code("Clojure", "#c9564f", ".clj .cljs .cljc .edn"),
    code("CoffeeScript", "#3a6ea5", ".coffee Cakefile"),
    code("Common Lisp", "#3faf7a", ".lisp .lsp .cl .asd"),
    code("Coq", "#c4ab8a", ".coq"),
    code("Crystal", "#2a2a35", ".cr"),
    code("Cuda", "#4a7f2f", ".cu .cuh"),
    code("Cython", "#d9b93c", ".pyx .pxd .pxi"),
    code("D", "#b5332f", ".d .di"),
    code("Dart", "#1fa39a", ".dart"),
    code("Dhall", "#c7a0e8", ".dhall"),
    code("Dockerfile", "#3b6573", ".dockerfile Dockerfile Containerfile"),
    code("Elixir", "#6e4a8c", ".ex .exs mix.lock"),
    code("Elm", "#54a3c2", ".elm"),
    code("Emacs Lisp", "#a857d6", ".el .emacs"),
    code("Erlang", "#b02a56", ".erl .hrl .escript rebar.config"),
    code("F#", "#a43fc4", ".fs .fsi .fsx"),
    code("Fennel", "#e6dd8a", ".fnl"),
    code("Fish", "#4aa03c", ".fish"),
    code("Forth", "#3a2f8f", ".fth .4th .forth"),
    code("Fortran", "#5f4a9f", ".f .f90 .f95 .f03 .f08 .for"),
    code("GDScript", "#3a6c8f", ".gd"),
    code("GLSL", "#5a7f9f", ".glsl .vert .frag .geom .comp .tesc .tese"),
    code("Gherkin", "#5a9f5a", ".feature"),
    code("Gleam", "#f29ae0", ".gleam"),
    code("Go", "#1fa7c9", ".go"),
    code("Go template", "#4a8fa5", ".gotmpl .tmpl"),
    code("GraphQL", "#d63f9f", ".graphql .gql .graphqls"),
    code("Groovy", "#4a8fb5", ".groovy .gradle .gvy Jenkinsfile"),
    code("HCL", "#7a4fc9", ".hcl .tf .tfvars .nomad"),
    code("HTML", "#d9512c", ".html .htm .xhtml"),
    code("Hack", "#8a8a95", ".hack .hhi"),
    code("Haml", "#e0d8a0", ".haml"),
    code("Handlebars", "#e0893a", ".hbs .handlebars"),
    code("Haskell", "#5d4f85", ".hs .lhs .hsc"),
    code("Haxe", "#dd7a2f", ".hx"),
    code("Idris", "#a53a3a", ".idr"),
    code("Janet", "#0f7a7a", ".janet"),
    code("Java", "#b0722a", ".java .jav"),
    code("JavaScript", "#e5c93a", ".js .mjs .cjs .jsx .es6"),
    code("Jinja", "#a52f2f", ".j2 .jinja .jinja2"),
    code("Julia", "#9a55b0", ".jl"),
    code("Jsonnet", "#2f5fd6", ".jsonnet .libsonnet"),
    code("Jupyter Notebook", "#d97a2f", ".ipynb"),
    code("Just", "#4a4a55", ".just justfile Justfile"),
    code("Kotlin", "#9a6ae8", ".kt .kts"),
    code("LLVM", "#2a6a3a", ".ll"),
    code("Lean", "#3f5f9f", ".lean"),
    code("Less", "#2f4f7a", ".less"),
    code("Liquid", "#6fb5e0", ".liquid"),
    code("Lua", "#2a2a8f", ".lua .rockspec"),
    code("MATLAB", "#d66a2f", ".matlab .mlx"),
    code("Makefile", "#4a7f2a", ".mk .mak Makefile makefile GNUmakefile Kbuild"),
    code("Meson", "#3f8f8f", "meson.build meson_options.txt"),
    code("Metal", "#8f14e9", ".metal"),
    code("Mojo", "#f0522a", ".mojo"),
    code("Mustache", "#724b3b", ".mustache"),
    code("Nim", "#e0b92f", ".nim .nims .nimble"),
    code("Nix", "#6f7fe0", ".nix"),
    code("Nushell", "#4ea84a", ".nu"),
    code("OCaml", "#d97a1f", ".ml .mli .mll .mly"),
    code("Objective-C", "#4a8fe0", ".m"),
    code("Objective-C++", "#5f6fe0", ".mm"),
    code("Odin", "#5faae0", ".odin"),
    code("OpenSCAD", "#d6c22f", ".scad"),
    code("PHP", "#5a649f", ".php .phtml .php3 .php4 .php5 .phps"),
    code("PLSQL", "#d0c8b0", ".pks .pkb .plsql"),
    code("PLpgSQL", "#336790", ".pgsql"),
    code("Pascal", "#c9b03a", ".pas .dpr .lpr"),
    code("Perl", "#1f6f9f", ".pl .pm .t .perl .psgi cpanfile"),
    code("PowerShell", "#1f4f9f", ".ps1 .psm1 .psd1"),
    code("Prolog", "#7a2f2f", ".pro .prolog"),
    code("Protocol Buffers", "#5f8f9f", ".proto"),
    code("Pug", "#a5876a", ".pug .jade"),
    code("Puppet", "#3f3f7a", ".pp"),
    code("PureScript", "#26303f", ".purs"),
    code("Python", "#3a74a8", ".py .pyi .pyw .bzl SConstruct SConscript BUILD.bazel"),
    code("QML", "#44a51c", ".qml"),
    code("R", "#2a8fd6", ".r .rmd .rprofile"),
    code("Racket", "#4f5faf", ".rkt"),
    code("Raku", "#1f1fb5", ".raku .rakumod .p6"),
    code("ReScript", "#ed5051", ".res .resi"),
    code("Reason", "#f0583f", ".re .rei"),
    code("Rego", "#7d9199", ".rego"),
    code("Ruby", "#8f1f24", ".rb .rake .gemspec .ru .erb Gemfile Rakefile Vagrantfile Podfile"),
    code("Rust", "#c8744a", ".rs"),
    code("SCSS", "#c4638f", ".scss"),
    code("SQL", "#d98c1f", ".sql .ddl"),
    code("Sass", "#a5506a", ".sass"),
    code("Scala", "#b53a44", ".scala .sbt .sc"),
    code("Scheme", "#2a4faf", ".scm .ss .sld"),
    code("Shell", "#7fc94a", ".sh .bash .zsh .ksh .bats .envrc .bashrc .zshrc"),
    code("Slim", "#2f2f2f", ".slim"),
    code("Smalltalk", "#596706", ".st"),
    code("Solidity", "#a5673f", ".sol"),
    code("Standard ML", "#d9506a", ".sml .sig .fun"),
    code("Starlark", "#5fbf5f", ".star BUILD WORKSPACE"),
    code("Stylus", "#e0552f", ".styl"),
    code("Svelte", "#f04a1f", ".svelte"),
    code("Swift", "#ee5138", ".swift"),
    code("SystemVerilog", "#d6c4e8", ".sv .svh"),
    code("Tcl", "#d9c28a", ".tcl .tk"),
    code("TeX", "#3a6a1f", ".tex .sty .cls .bib .ltx .dtx"),
    code("Thrift", "#c93f2f", ".thrift"),
    code("TypeScript", "#2f74c0", ".ts .tsx .mts .cts"),
    code("Typst", "#239dad", ".typ"),
    code("V", "#4f87c4", ".v .vsh"),
    code("VHDL", "#a59fb5", ".vhd .vhdl"),
    code("Vala", "#9f5fb5", ".vala .vapi"),
    code("Vim script", "#1f8f2a", ".vim vimrc .vimrc"),
    code("Visual Basic", "#7a4f9f", ".vb .vbs .bas .frm"),
    code("Vue", "#3fb27f", ".vue"),
    code("WebAssembly", "#1f3f4f", ".wat .wast"),
    code("WGSL", "#1a5e9a", ".wgsl"),
    code("XSLT", "#d97ac9", ".xslt .xsl"),
    code("Yacc", "#4b6c4b", ".y .yacc"),
    code("Zig", "#ec915c", ".zig .zon"),
    data("AsciiDoc", "#b0455f", ".adoc .asciidoc"),
    data("CSV", "#237346", ".csv .tsv"),
    data("Diff", "#6a6a6a", ".diff .patch"),
    data("INI", "#d1dbe0", ".ini .cfg .conf .properties .editorconfig .gitconfig .gitmodules"),
    data("JSON", "#4a4a4a", ".json .jsonc .json5 .geojson .webmanifest .ndjson"),
    data("Markdown", "#1f4f9f", ".md .markdown .mdx .mkd README"),
    data("Org", "#77aa99", ".org"),
    data("Text", "#8a8a8a", ".txt .text LICENSE COPYING"),
    data("TOML", "#9c4221", ".toml Cargo.lock poetry.lock"),
    data("XML", "#0060ac", ".xml .xsd .svg .plist .csproj .resx .wsdl .xaml"),
    data("YAML", "#cb171e", ".yml .yaml .clang-format"),
    data("reStructuredText", "#2f2f3a", ".rst .rest"),
];

static BY_ENDING: LazyLock<HashMap<&'static str, &'static Language>> = LazyLock::new(|| {
    let endings = |language: &'static Language| language.endings.split(' ').map(move |ending| (ending, language));
    LANGUAGES.iter().flat_map(endings).collect()
});

/// Finds the language of a file by its path.
pub fn detect(path: &[u8]) -> Option<&'static Language> {
    let name = path.rsplit(|b| *b == b'/').next()?;
    let name = std::str::from_utf8(name).ok()?;
    if let Some(language) = BY_ENDING.get(name) {
        return Some(language);
    }
    let dot = name.rfind('.')?;
    BY_ENDING.get(name[dot..].to_ascii_lowercase().as_str()).copied().or_else(|| by_prefix(name))
}

/// Finds names such as `Dockerfile.test`.
fn by_prefix(name: &str) -> Option<&'static Language> {
    let stem = name.split('.').next()?;
    BY_ENDING.get(stem).copied().filter(|language| language.counted)
}

/// Tells whether a path holds other people's code.
pub fn is_vendored(path: &[u8]) -> bool {
    const FOLDERS: [&[u8]; 12] = [
        b"node_modules",
        b"vendor",
        b"third_party",
        b"third-party",
        b"bower_components",
        b"Godeps",
        b"Pods",
        b"extern",
        b"external",
        b".yarn",
        b"site-packages",
        b"dist",
    ];
    let mut parts = path.split(|b| *b == b'/').rev();
    let name = parts.next().unwrap_or_default();
    name.ends_with(b".min.js") || name.ends_with(b".min.css") || parts.any(|part| FOLDERS.contains(&part))
}

/// Tells whether a file is usually made by a tool, judged by its path.
pub fn is_generated_path(path: &[u8]) -> bool {
    const NAMES: [&[u8]; 14] = [
        b"package-lock.json",
        b"yarn.lock",
        b"pnpm-lock.yaml",
        b"Cargo.lock",
        b"poetry.lock",
        b"composer.lock",
        b"Gemfile.lock",
        b"go.sum",
        b"Pipfile.lock",
        b"npm-shrinkwrap.json",
        b"flake.lock",
        b"uv.lock",
        b"bun.lock",
        b"mix.lock",
    ];
    const ENDINGS: [&[u8]; 12] = [
        b".min.js",
        b".min.css",
        b".js.map",
        b".css.map",
        b".pb.go",
        b"_pb2.py",
        b".pb.cc",
        b".pb.h",
        b".g.dart",
        b".designer.cs",
        b".snap",
        b".lock.hcl",
    ];
    let name = path.rsplit(|b| *b == b'/').next().unwrap_or_default();
    NAMES.contains(&name) || ENDINGS.iter().any(|ending| name.ends_with(ending))
}
