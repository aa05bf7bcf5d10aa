package path

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAReplayReachesTheDestinationThatWasNamedOnceMore(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"evt_1", "evt_2"} {
		push(t, "again", body("again", id))
		until(t, "again", id, func(r record) bool { return r.Status == "delivered" })
	}
	if out := command(t, "replay", "--source", "again", "--dry-run"); strings.Index(out, "evt_1") > strings.Index(out, "evt_2") || !strings.Contains(out, "2 events would be sent") {
		t.Errorf("a dry run printed %q, want the oldest first", out)
	}
	out := command(t, "replay", "--source", "again", "--from", "1h", "--only", "near", "--rate", "20/s", "--yes")
	if !strings.Contains(out, "2 events sent") {
		t.Errorf("it printed %q", out)
	}
	for _, id := range []string{"evt_1", "evt_2"} {
		r := until(t, "again", id, func(r record) bool { return len(r.Replays) == 1 && r.Replays[0].Status == "delivered" })
		if r.Status != "delivered" || len(r.Duplicates) > 0 {
			t.Errorf("the event is now %s, with duplicates %v", r.Status, r.Duplicates)
		}
		if a, b := near.bodies("again", id), far.bodies("again", id); len(a) != 2 || a[1] != a[0] || len(b) != 1 {
			t.Errorf("near got it %d times, far %d; want 2 and 1", len(a), len(b))
		}
		if out := command(t, "show", "again/"+id); !strings.Contains(out, "replay ") {
			t.Errorf("`show` says nothing of it: %s", out)
		}
	}
}

func TestAnErasureLeavesNothingOfAPersonButItsProof(t *testing.T) {
	// Not parallel: it looks at all dead letters, which hides them from others.
	const person = "erika@example.com"
	heal := far.fail("personal", http.StatusUnprocessableEntity, -1)
	defer heal()
	events := map[string]string{
		"evt_plain":   `{"id":"evt_plain","type":"thing.changed","customer":{"email":"erika@example.com"}}`,
		"evt_escaped": `{"id":"evt_escaped","type":"thing.changed","customer":{"email":"erika\u0040example.com"}}`,
		"evt_large":   `{"id":"evt_large","type":"thing.changed","customer":{"email":"erika@example.com"},"note":"` + strings.Repeat("x", 3<<20) + `"}`,
		"evt_other":   `{"id":"evt_other","type":"thing.changed","customer":{"email":"other@example.com"}}`,
	}
	for id, e := range events {
		if status, answer := push(t, "personal", e); status/100 != 2 {
			t.Fatalf("answered %d: %s", status, answer)
		}
		until(t, "personal", id, func(r record) bool { return r.Status == "dead" })
	}
	file := filepath.Join(t.TempDir(), "proof.ndjson")
	where := `.data.customer.email == "` + person + `"`
	if out := command(t, "erase", "--source", "personal", "--where", where, "--dry-run"); !strings.Contains(out, "3 events would be erased") {
		t.Errorf("a dry run printed %q", out)
	}
	out := command(t, "erase", "--source", "personal", "--contains", person, "--reason", "request 17", "--by", "privacy", "--proof", file, "--yes")
	if !strings.Contains(out, "3 events erased") {
		t.Errorf("it printed %q", out)
	}
	letters := command(t, "dead", "--json")
	for id := range events {
		_, err := system.Command(t.Context(), "show", "personal/"+id, "--payload")
		gone := err != nil && !strings.Contains(letters, "personal/"+id)
		if r, _ := lookUp(t, "personal", id); gone != (id != "evt_other") || gone != strings.HasSuffix(r.Erasure, "by privacy: request 17") {
			t.Errorf("%s: gone %v, the ledger says %q; want the person's alone", id, gone, r.Erasure)
		}
	}
	if left := filesWith(t, filepath.Join(system.Data(), "bodies"), person); len(left) > 0 {
		t.Errorf("the claim check still has %v", left)
	}
	proof, err := os.ReadFile(file)
	if err != nil || strings.Contains(string(proof), person) || strings.Count(string(proof), "\n") != 2+2*3 {
		t.Errorf("%v, the proof is\n%s", err, proof)
	}
	if out := command(t, "erase", "--verify", file); !strings.Contains(out, "nothing is kept of 3 events") {
		t.Errorf("--verify printed %q", out)
	}
	changed := strings.Replace(string(proof), "evt_large", "evt_other", 1)
	if err := os.WriteFile(file, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := system.Command(t.Context(), "erase", "--verify", file); err == nil || !strings.Contains(err.Error(), "was changed") {
		t.Errorf("a proof that was changed: %v", err)
	}
	if _, err := system.Command(t.Context(), "replay", "personal/evt_plain"); err == nil || !strings.Contains(err.Error(), "its data were erased") {
		t.Errorf("a replay of what was erased: %v", err)
	}
	heal()
	command(t, "dead", "redrive", "--source", "personal", "--destination", "far", "--reason", "422")
	until(t, "personal", "evt_other", func(r record) bool { return r.Status == "delivered" })
}

// filesWith are the files in a folder that have a text.
func filesWith(t *testing.T, dir, text string) (found []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(name string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(name)
		if strings.Contains(string(b), text) {
			found = append(found, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}
