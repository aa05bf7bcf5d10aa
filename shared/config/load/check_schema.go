package load

import (
	"encoding/json"
	"fmt"
	"path"
	"strings"

	"pushpull/shared/config"
	"pushpull/shared/schema"
)

// checkSchema is of a source or a route. The file that it names goes into it.
func (l *loader) checkSchema(t thing, s *config.Schema) {
	if s == nil {
		return
	}
	at := []string{"schema"}
	switch {
	case s.File == "" && len(s.Inline) == 0:
		l.missing(t, append(at, "file"), "a file in config/schemas, or the schema itself in inline")
		return
	case s.File != "" && len(s.Inline) > 0:
		l.problem(t, append(at, "file"), "file and inline are two schemas", "leave one out")
		return
	case s.File != "":
		f, ok := l.besides(t, append(at, "file"), schemasFolder, s.File)
		if !ok {
			return
		}
		if s.Inline = l.document(f); s.Inline == nil {
			return
		}
	}
	if _, err := schema.Compile(s); err != nil {
		l.problem(t, at, err.Error(), "")
	}
}

// besides finds a file in a folder beside the configuration.
func (l *loader) besides(t thing, at []string, folder, name string) (File, bool) {
	f, ok := l.beside[folder+"/"+name]
	if !ok {
		var names []string
		for own := range l.beside {
			if in, base := path.Split(own); in == folder+"/" {
				names = append(names, base)
			}
		}
		l.problem(t, at, fmt.Sprintf("no file %q in the folder %s beside the configuration", name, folder),
			orElse(didYouMean(name, names), "it ends in "+strings.Join(beside[folder], ", ")))
	}
	return f, ok
}

// document is a file of JSON or YAML as JSON; nil where it is neither, which is said.
func (l *loader) document(f File) json.RawMessage {
	if path.Ext(f.Name) == ".json" {
		if len(f.Data) > maxFile || !json.Valid(f.Data) {
			l.problems = append(l.problems, Problem{File: f.Name, What: fmt.Sprintf("this is no JSON of %d MiB at most", maxFile>>20)})
			return nil
		}
		compact, err := json.Marshal(json.RawMessage(f.Data))
		if err != nil {
			return nil // what is valid can be written
		}
		return compact
	}
	trees, problems := parse(f)
	l.problems = append(l.problems, problems...)
	if len(trees) != 1 {
		if len(problems) == 0 {
			l.problems = append(l.problems, Problem{File: f.Name, What: "one document is needed"})
		}
		return nil
	}
	data, err := json.Marshal(trees[0].plain())
	if err != nil {
		return nil // what was parsed can be written
	}
	return data
}
