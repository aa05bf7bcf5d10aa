package load

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"pushpull/shared/config"
)

// table reads a table that a route names, once.
func (l *loader) table(t thing, at []string, name string) {
	if _, ok := l.cfg.Tables[name]; ok || name == "" {
		return
	}
	f, ok := l.besides(t, at, tablesFolder, name)
	if !ok {
		return
	}
	if strings.ContainsAny(name, " \t\r\n") {
		l.problem(t, at, fmt.Sprintf("the name %q has a space", name), "rename the file")
		return
	}
	read := l.readYAML
	if path.Ext(name) == ".csv" {
		read = l.readCSV
	}
	l.cfg.Tables[name] = read(f)
}

// readYAML reads a mapping: what is behind a key is what is put into the data.
func (l *loader) readYAML(f File) config.Table {
	var t config.Table
	if document := l.document(f); document != nil && json.Unmarshal(document, &t) != nil {
		l.problems = append(l.problems, Problem{File: f.Name, What: "a table is a mapping of keys", Mend: "write key: value, or key: {name: value}"})
	}
	return t
}

// readCSV reads rows under a header: the first column is the key, and a row is an
// object of texts.
func (l *loader) readCSV(f File) config.Table {
	wrong := func(line int, what, mend string) {
		l.problems = append(l.problems, Problem{File: f.Name, Line: line, Column: 1, What: what, Mend: mend})
	}
	if len(f.Data) > maxFile {
		wrong(1, fmt.Sprintf("the file is larger than %d MiB", maxFile>>20), "a table of that size belongs into a database")
		return nil
	}
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(f.Data, []byte("\ufeff"))))
	rows, err := r.ReadAll()
	if e, ok := errors.AsType[*csv.ParseError](err); ok {
		wrong(e.Line, e.Err.Error(), "")
		return nil
	}
	if err != nil || len(rows) == 0 {
		wrong(1, "no header", "name the columns in the first line; the first is the key")
		return nil
	}
	header := rows[0]
	if slices.Contains(header, "") {
		wrong(1, "a column without a name", "name it")
	}
	t := config.Table{}
	for i, row := range rows[1:] {
		if _, ok := t[row[0]]; ok {
			wrong(i+2, fmt.Sprintf("the key %q is there twice", row[0]), "leave one out")
		}
		object := make(map[string]string, len(row))
		for c, value := range row {
			object[header[c]] = value
		}
		text, err := json.Marshal(object)
		if err != nil {
			continue // texts can be written
		}
		t[row[0]] = text
	}
	return t
}
