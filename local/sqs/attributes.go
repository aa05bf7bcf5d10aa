package sqs

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"time"
)

// Names of queue attributes that the code asks for by name.
const (
	attrArn         = "QueueArn"
	attrVisible     = "ApproximateNumberOfMessages"
	attrNotVisible  = "ApproximateNumberOfMessagesNotVisible"
	attrDelayed     = "ApproximateNumberOfMessagesDelayed"
	attrCreated     = "CreatedTimestamp"
	attrModified    = "LastModifiedTimestamp"
	attrFifo        = "FifoQueue"
	attrRedrive     = "RedrivePolicy"
	attrAllow       = "RedriveAllowPolicy"
	attrKey         = "KmsMasterKeyId"
	attrScope       = "DeduplicationScope"
	attrLimit       = "FifoThroughputLimit"
	scopeGroup      = "messageGroup"
	limitPerGroup   = "perMessageGroupId"
	permitAll       = "allowAll"
	permitNone      = "denyAll"
	permitByQueue   = "byQueue"
	maxAllowSources = 10
)

// settings is what a queue's attributes mean.
type settings struct {
	fifo        bool
	byContent   bool // deduplicate by the body's hash where no id is given
	groupScope  bool // deduplicate within the message group
	visibility  time.Duration
	delay       time.Duration
	wait        time.Duration
	retention   time.Duration
	maxMessage  int // bytes
	redrive     redrivePolicy
	allow       allowPolicy
	wantsCipher bool
}

// An attributeRule is one attribute that can be set on a queue.
type attributeRule struct {
	initial  string // empty: shown only once set
	fifo     bool   // only FIFO queues have it
	creation bool   // cannot be changed
	check    func(value string, s *settings) bool
	means    string // for the error: what a value must be
}

// attributeRules is every attribute that can be set.
var attributeRules = map[string]attributeRule{
	"DelaySeconds":                  seconds("0", 0, 900, func(s *settings) *time.Duration { return &s.delay }),
	"VisibilityTimeout":             seconds("30", 0, maxVisibility, func(s *settings) *time.Duration { return &s.visibility }),
	"MessageRetentionPeriod":        seconds("345600", 60, 1209600, func(s *settings) *time.Duration { return &s.retention }),
	"ReceiveMessageWaitTimeSeconds": seconds("0", 0, maxWait, func(s *settings) *time.Duration { return &s.wait }),
	"MaximumMessageSize": wholeNumber("1048576", 1024, maxBytes, func(s *settings, n int) {
		s.maxMessage = n
	}),
	"Policy":                       {check: isPolicy, means: "a JSON object"},
	attrRedrive:                    {check: checkRedrive, means: `a JSON object with deadLetterTargetArn and maxReceiveCount, from 1 to 1000`},
	attrAllow:                      {check: checkAllow, means: `a JSON object with redrivePermission, and for byQueue one to ten sourceQueueArns`},
	attrKey:                        {check: setCipher, means: "the name of a key"},
	"KmsDataKeyReusePeriodSeconds": wholeNumber("", 60, 86400, func(*settings, int) {}),
	"SqsManagedSseEnabled":         {initial: "true", check: isBool, means: "true or false"},
	attrFifo: {fifo: true, creation: true, means: "true", check: func(v string, s *settings) bool {
		s.fifo = true
		return v == "true"
	}},
	"ContentBasedDeduplication": {fifo: true, initial: "false", means: "true or false", check: func(v string, s *settings) bool {
		s.byContent = v == "true"
		return isBool(v, s)
	}},
	attrScope: {fifo: true, initial: "queue", means: "queue or messageGroup", check: func(v string, s *settings) bool {
		s.groupScope = v == scopeGroup
		return v == "queue" || v == scopeGroup
	}},
	attrLimit: {fifo: true, initial: "perQueue", means: "perQueue or perMessageGroupId", check: func(v string, _ *settings) bool {
		return v == "perQueue" || v == limitPerGroup
	}},
}

// computedAttributes are those that can only be read.
var computedAttributes = []string{attrArn, attrVisible, attrNotVisible, attrDelayed, attrCreated, attrModified}

func wholeNumber(initial string, from, to int, set func(*settings, int)) attributeRule {
	return attributeRule{
		initial: initial,
		means:   "a whole number from " + strconv.Itoa(from) + " to " + strconv.Itoa(to),
		check: func(value string, s *settings) bool {
			n, err := strconv.Atoi(value)
			if err != nil || n < from || n > to {
				return false
			}
			set(s, n)
			return true
		},
	}
}

func seconds(initial string, from, to int, field func(*settings) *time.Duration) attributeRule {
	return wholeNumber(initial, from, to, func(s *settings, n int) { *field(s) = time.Duration(n) * time.Second })
}

func isBool(v string, _ *settings) bool { return v == "true" || v == "false" }

func isPolicy(v string, _ *settings) bool {
	var object map[string]any
	return v == "" || json.Unmarshal([]byte(v), &object) == nil
}

func setCipher(v string, s *settings) bool {
	s.wantsCipher = v != ""
	return true
}

// understand checks a queue's attributes, all of them, and says what they mean.
func understand(attributes map[string]string) (settings, *Error) {
	var s settings
	_, fifo := attributes[attrFifo]
	for _, rule := range attributeRules {
		if value := rule.initial; value != "" && (fifo || !rule.fifo) {
			rule.check(value, &s)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		rule, known := attributeRules[name]
		if !known || rule.fifo && !fifo {
			return settings{}, errAttributeName(name)
		}
		if !rule.check(attributes[name], &s) {
			return settings{}, errAttributeValue(name, "must be %s.", rule.means)
		}
	}
	if attributes[attrLimit] == limitPerGroup && !s.groupScope {
		return settings{}, errAttributeValue(attrLimit, "perMessageGroupId needs DeduplicationScope to be messageGroup.")
	}
	return s, nil
}

// effective is what a queue answers for an attribute, set or not.
func effective(attributes map[string]string, name string) (string, bool) {
	if v, ok := attributes[name]; ok {
		return v, v != ""
	}
	rule, known := attributeRules[name]
	if !known || rule.initial == "" || rule.fifo && attributes[attrFifo] == "" {
		return "", false
	}
	return rule.initial, true
}

// describe answers GetQueueAttributes. It takes the queue's lock.
func (q *queue) describe(names []string, now time.Time) (map[string]string, *Error) {
	all := slices.Contains(names, "All")
	for _, name := range names {
		_, settable := attributeRules[name]
		if name != "All" && !settable && !slices.Contains(computedAttributes, name) {
			return nil, errAttributeName(name)
		}
	}
	q.sweep(now)
	q.mu.Lock()
	defer q.mu.Unlock()
	q.advance(now.UnixMilli())
	values := q.computed()
	for name := range attributeRules {
		if v, ok := effective(q.record.Attributes, name); ok {
			values[name] = v
		}
	}
	if !all {
		maps.DeleteFunc(values, func(name, _ string) bool { return !slices.Contains(names, name) })
	}
	return values, nil
}

func (q *queue) computed() map[string]string {
	return map[string]string{
		attrArn:        q.srv.arn(q.name),
		attrVisible:    strconv.Itoa(len(q.entries) - q.inFlight - q.delayed),
		attrNotVisible: strconv.Itoa(q.inFlight),
		attrDelayed:    strconv.Itoa(q.delayed),
		attrCreated:    strconv.FormatInt(q.record.Created, 10),
		attrModified:   strconv.FormatInt(q.record.Modified, 10),
	}
}
