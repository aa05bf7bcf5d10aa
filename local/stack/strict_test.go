package stack

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const inOrder = `
sources:
  github:
    order: strict
    webhook:
      provider: github
      secret: "ssm:/pushpull/github/webhook"
      event: { entity: "{body.repository.full_name}" }
destinations:
  archive: { kind: file, path: delivered.ndjson }
routes:
  - { from: github, to: archive }
`

func TestASourceInStrictOrderIsDeliveredInIt(t *testing.T) {
	t.Parallel()
	s := startStack(t, Options{ConfigDir: configDir(t, inOrder)})
	const all = 25
	var want []string
	for i := range all {
		id := fmt.Sprintf("72d3162e-cc78-11e3-81ab-%012d", i)
		if status := postPush(t, s, id, push); status/100 != 2 {
			t.Fatalf("the webhook was answered %d", status)
		}
		want = append(want, id)
	}
	file := filepath.Join(s.Address().Data, "delivered.ndjson")
	ids := regexp.MustCompile(`72d3162e-cc78-11e3-81ab-\d{12}`)
	var got []string
	until(t, "all are delivered", func() bool {
		text, err := os.ReadFile(file)
		if err != nil {
			return false
		}
		got = nil
		for line := range strings.Lines(string(text)) {
			got = append(got, ids.FindString(line))
		}
		return len(got) >= all
	})
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("delivered in the order %v", got)
	}
}
