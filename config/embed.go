// Package config holds what a team edits: the YAML files beside this one, with
// their tables, schemas and tests, and compiled.txt, which is made from them.
package config

import _ "embed" // for the configuration

// Compiled is the configuration prepared for the functions.
//
//go:embed compiled.txt
var Compiled string

//go:generate go run ../cmd/pushpull check --write --config .
