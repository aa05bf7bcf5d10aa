package load

import (
	"encoding/json"
	"testing"
)

func TestAColonWithinATextIsPartOfIt(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{s: [env:A, env:B]}`:               `{"s":["env:A","env:B"]}`,
		`{s: env:A, t: ssm:/a/b}`:           `{"s":"env:A","t":"ssm:/a/b"}`,
		`{s: [ssm:/a, secretsmanager:o#w]}`: `{"s":["ssm:/a","secretsmanager:o#w"]}`,
		`{u: "http://a:1", v: http://a:1/}`: `{"u":"http://a:1","v":"http://a:1/"}`,
		`{s: [{a: env:B}, env:C], t: [1]}`:  `{"s":[{"a":"env:B"},"env:C"],"t":[1]}`,
		`{"a":1, 'b':x, c: 12:30}`:          `{"a":1,"b":"x","c":"12:30"}`,
		"a: env:A\nb: [env:A, {c: d}]\n":    `{"a":"env:A","b":["env:A",{"c":"d"}]}`,
		`{s: [a:b:c, arn:aws:x:y]}`:         `{"s":["a:b:c","arn:aws:x:y"]}`,
	} {
		trees, problems := parse(File{Name: "a.yaml", Data: []byte(text)})
		if len(problems) > 0 || len(trees) != 1 {
			t.Errorf("%s: %v", text, problems)
			continue
		}
		got, err := json.Marshal(trees[0].plain())
		if err != nil || string(got) != want {
			t.Errorf("%s: want %s, got %s", text, want, got)
		}
	}
}
