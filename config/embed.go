// Package config holds what a team edits: the YAML files beside this one, and
// compiled.txt, which is made from them.
package config

import "embed"

// Files are the YAML files, for those who read them: check, dev, and the compiler.
//
//go:embed *.yaml
var Files embed.FS

// Compiled is the configuration prepared for the functions.
//
//go:embed compiled.txt
var Compiled string

//go:generate go run ../cmd/pushpull check --write --config .
