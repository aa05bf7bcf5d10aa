package ledger

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"pushpull/shared/event"
)

// The attributes of a claim item. A write is charged for the whole item in KB,
// so names are short and nothing stands twice: `at` is also when the event was
// received, and identity and source are the key.
const (
	attrID          = "id"        // S  <source>/<identity>
	attrStatus      = "status"    // S
	attrOwner       = "owner"     // S  of the last claim; kept after its end, so that a write sent twice is known
	attrLease       = "lease"     // N  claimed, waiting: until when its message may come back; Unix ms. After that, any may take it
	attrUntil       = "until"     // N  claimed: until when it is the owner's; Unix ms
	attrQuiet       = "quiet"     // BOOL  claimed: a delivery without failure is not recorded
	attrMessage     = "message"   // S  the SQS message that carries the event
	attrDone        = "done"      // SS destinations
	attrTries       = "tries"     // M  attempts by destination; gone when dead, so that a redrive begins anew
	attrAttempts    = "attempts"  // S  JSON of the last attempts
	attrTransport   = "transport" // S  of the first arrival
	attrType        = "type"
	attrEntity      = "entity"
	attrVersion     = "version"
	attrTime        = "time" // S  RFC 3339, at the provider
	attrEnded       = "ended"
	attrMissed      = "missed" // BOOL
	attrReason      = "reason"
	attrCorrelation = "correlationid"
	attrBucket      = "bucket" // S  <source>#<hour of at>#<shard>: partition of the index, never changes
	attrAt          = "at"     // S  first received, fixed width so that text order is time order
	attrTTL         = "ttl"    // N  Unix seconds

	attrDuplicateWebhook = "dupwebhook" // N
	attrDuplicatePoll    = "duppoll"    // N

	attrHash      = "hash"      // S  of the first arrival's data, or noHash
	attrConflicts = "conflicts" // N  duplicates with other data
	attrConflict  = "conflict"  // S  hash of the last of them
	attrDiffering = "differing" // SS hashes of those that are kept

	attrReplays = "replays" // SS ids of the times that it was sent again
	attrErased  = "erased"  // S  when what was kept of it was erased
	attrErasure = "erasure" // S  the id of that erasure, and of whom and why

	indexByTime = "by-time" // bucket, at; keys only
)

const (
	shards      = 4
	hourLayout  = "2006-01-02T15"
	atLayout    = "2006-01-02T15:04:05.000000000Z"
	keptAttempt = 10  // attempts on an item
	keptError   = 200 // bytes of an attempt's error
	keptReason  = 500 // bytes
	noHash      = "-" // of data that cannot be compared
	keptDiffer  = 20  // conflicts that are kept of an event
)

type item = map[string]types.AttributeValue

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func number(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}

func set(s []string) types.AttributeValue { return &types.AttributeValueMemberSS{Value: s} }

func getText(it item, name string) string {
	v, _ := it[name].(*types.AttributeValueMemberS)
	if v == nil {
		return ""
	}
	return v.Value
}

func getNumber(it item, name string) int64 {
	v, _ := it[name].(*types.AttributeValueMemberN)
	if v == nil {
		return 0
	}
	n, _ := strconv.ParseInt(v.Value, 10, 64)
	return n
}

func getBool(it item, name string) bool {
	v, _ := it[name].(*types.AttributeValueMemberBOOL)
	return v != nil && v.Value
}

func getSet(it item, name string) []string {
	v, _ := it[name].(*types.AttributeValueMemberSS)
	if v == nil {
		return nil
	}
	return slices.Sorted(slices.Values(v.Value))
}

func getTime(it item, name string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, getText(it, name))
	if err != nil {
		return time.Time{}
	}
	return t
}

func getTries(it item) map[string]int {
	v, _ := it[attrTries].(*types.AttributeValueMemberM)
	if v == nil {
		return map[string]int{}
	}
	tries := make(map[string]int, len(v.Value))
	for name := range v.Value {
		tries[name] = int(getNumber(v.Value, name))
	}
	return tries
}

func triesValue(tries map[string]int) types.AttributeValue {
	m := make(item, len(tries))
	for name, n := range tries {
		m[name] = number(int64(n))
	}
	return &types.AttributeValueMemberM{Value: m}
}

func getAttempts(it item) ([]Attempt, error) {
	s := getText(it, attrAttempts)
	if s == "" {
		return nil, nil
	}
	var attempts []Attempt
	if err := json.Unmarshal([]byte(s), &attempts); err != nil {
		return nil, fmt.Errorf("read the attempts of %s: %w", getText(it, attrID), err)
	}
	return attempts, nil
}

// bounded is the attempts as they are kept: the last few, of each destination its
// last one at least, and the first since it began anew; their errors cut.
func bounded(attempts []Attempt) []Attempt {
	excess := len(attempts) - keptAttempt
	kept := make([]Attempt, 0, len(attempts))
	for i, a := range attempts {
		later := slices.ContainsFunc(attempts[i+1:], func(b Attempt) bool {
			return b.Destination == a.Destination && (a.Number > 1 || b.Number == 1)
		})
		if excess > 0 && later {
			excess--
			continue
		}
		a.At, a.Next = a.At.UTC(), a.Next.UTC()
		a.Error = cut(a.Error, keptError)
		kept = append(kept, a)
	}
	return kept
}

// cut shortens s to n bytes at most, between two characters.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}

// bucket is the index's partition of an event: four for each source and hour,
// as one would be a hot partition whose back pressure throttles the claims.
func bucket(key string, received time.Time) string {
	source, _, _ := strings.Cut(key, "/")
	h := fnv.New32a()
	_, _ = h.Write([]byte(key))
	return bucketName(source, received, int(h.Sum32()%shards))
}

func bucketName(source string, hour time.Time, shard int) string {
	return source + "#" + hour.UTC().Format(hourLayout) + "#" + strconv.Itoa(shard)
}

func recordOf(it item, now time.Time) (Record, error) {
	attempts, err := getAttempts(it)
	if err != nil {
		return Record{}, err
	}
	status := Status(getText(it, attrStatus))
	if status == Claimed && getBool(it, attrQuiet) && getNumber(it, attrUntil) <= now.UnixMilli() {
		status = Delivered // else it would have been claimed again, or released
	}
	key := getText(it, attrID)
	source, id, _ := strings.Cut(key, "/")
	return Record{
		Key:           key,
		ID:            id,
		Source:        source,
		Type:          getText(it, attrType),
		Transport:     event.Transport(getText(it, attrTransport)),
		Status:        status,
		Time:          getTime(it, attrTime),
		Received:      getTime(it, attrAt),
		Ended:         getTime(it, attrEnded),
		Entity:        getText(it, attrEntity),
		Version:       getText(it, attrVersion),
		Missed:        getBool(it, attrMissed),
		Duplicates:    getDuplicates(it),
		Conflicts:     int(getNumber(it, attrConflicts)),
		Conflict:      getText(it, attrConflict),
		Differing:     getSet(it, attrDiffering),
		Done:          getSet(it, attrDone),
		Attempts:      attempts,
		Reason:        getText(it, attrReason),
		Replays:       replaysOf(it),
		Erased:        getTime(it, attrErased),
		Erasure:       getText(it, attrErasure),
		CorrelationID: getText(it, attrCorrelation),
	}, nil
}

func getDuplicates(it item) map[event.Transport]int {
	var d map[event.Transport]int
	for _, t := range []event.Transport{event.Webhook, event.Poll} {
		if n := int(getNumber(it, duplicateAttr(t))); n > 0 {
			if d == nil {
				d = map[event.Transport]int{}
			}
			d[t] = n
		}
	}
	return d
}

func duplicateAttr(t event.Transport) string {
	if t == event.Poll {
		return attrDuplicatePoll
	}
	return attrDuplicateWebhook
}
