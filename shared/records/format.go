package records

import (
	"mime"
	"path"
	"strings"

	"pushpull/shared/form"
)

// format is that of the options, else what the content type means.
func (o Options) format(contentType string) string {
	if o.Format != "" {
		return o.Format
	}
	switch media := form.Media(contentType); {
	case media == "application/x-ndjson", media == "application/ndjson", media == "application/jsonl",
		media == "application/x-jsonlines", media == "application/jsonlines", media == "application/json-seq",
		media == "application/stream+json", media == "application/json-lines":
		return "ndjson"
	case media == "text/csv", media == "application/csv", media == tabs:
		return "csv"
	case media == "application/rss+xml", media == "application/atom+xml", media == "application/rdf+xml",
		media == "application/feed+json":
		return "feed"
	case media == "application/xml", media == "text/xml", strings.HasSuffix(media, "+xml"):
		if o.Path == "" && o.JQ == nil {
			return "feed" // no other XML says by itself what its records are
		}
		return "xml"
	}
	return "json"
}

const tabs = "text/tab-separated-values"

// typeOf is the content type that a file's name means; "" is nothing known.
func typeOf(name string) string {
	name = strings.TrimSuffix(strings.ToLower(name), ".gz")
	switch path.Ext(name) {
	case ".csv":
		return "text/csv"
	case ".tsv":
		return tabs
	case ".ndjson", ".jsonl":
		return "application/x-ndjson"
	case ".xml":
		return "application/xml"
	}
	return ""
}

// splitPath is a path's names. A backslash takes the next character as it is.
func splitPath(text string) []string {
	if text == "" || text == "." {
		return nil
	}
	var names []string
	var name strings.Builder
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && i+1 < len(text):
			i++
			name.WriteByte(text[i])
		case c == '.':
			names = append(names, name.String())
			name.Reset()
		default:
			name.WriteByte(c)
		}
	}
	return append(names, name.String())
}

// unlike adds what the answer is by its content type, where that tells more than
// that it is not in the format.
func unlike(contentType string) string {
	media, _, err := mime.ParseMediaType(contentType)
	if err != nil || !strings.HasPrefix(media, "text/html") {
		return ""
	}
	return "; it is a web page (text/html)"
}
