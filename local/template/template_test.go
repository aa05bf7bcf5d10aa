package template

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestTheProjectsTemplateIsUnderstoodWhole(t *testing.T) {
	t.Parallel()
	got, err := Read("../../template.yaml", Options{QueueURL: func(name string) string { return "http://127.0.0.1:1/0/" + name }})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string(nil), got.Warnings); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
	wantMappings := []Mapping{
		{ID: "PollerFunction.Jobs", Function: "PollerFunction", Queue: "PollQueue", BatchSize: 1, Concurrency: 5, PartialBatch: true},
		{ID: "ProcessorFunction.Events", Function: "ProcessorFunction", Queue: "EventQueue", BatchSize: 10, Concurrency: 20, PartialBatch: true},
	}
	if diff := cmp.Diff(wantMappings, got.Mappings); diff != "" {
		t.Errorf("mappings (-want +got):\n%s", diff)
	}
	wantRoutes := []Route{{Function: "ReceiverFunction", Method: "ANY", Path: "/webhooks/{source}"}}
	if diff := cmp.Diff(wantRoutes, got.Routes); diff != "" {
		t.Errorf("routes (-want +got):\n%s", diff)
	}
	wantSchedules := []Schedule{{ID: "PollerFunction.Due", Function: "PollerFunction", Expression: "rate(1 minute)"}}
	if diff := cmp.Diff(wantSchedules, got.Schedules); diff != "" {
		t.Errorf("schedules (-want +got):\n%s", diff)
	}
	wantReceiver := Function{
		ID: "ReceiverFunction", Name: "ReceiverFunction", ARN: "arn:aws:lambda:us-east-1:000000000000:function:ReceiverFunction",
		Handler: "bootstrap", Timeout: 10 * time.Second, Memory: 256,
		Environment: map[string]string{"BODIES": "s3://bodiesbucket", "EVENT_QUEUE_URL": "http://127.0.0.1:1/0/EventQueue", "GOMAXPROCS": "1", "LOG_LEVEL": "INFO", "POLL_QUEUE_URL": "http://127.0.0.1:1/0/PollQueue", "STRICT_QUEUE_URL": "", "STATE_TABLE": "StateTable"},
	}
	if diff := cmp.Diff(wantReceiver, got.Functions[2]); diff != "" {
		t.Errorf("receiver (-want +got):\n%s", diff)
	}
	wantTable := Table{
		ID: "EventsTable", Name: "EventsTable", TTL: "ttl",
		Attributes: map[string]string{"id": "S", "bucket": "S", "at": "S"},
		Keys:       []Key{{"id", "HASH"}},
		Indexes:    []Index{{Name: "by-time", Keys: []Key{{"bucket", "HASH"}, {"at", "RANGE"}}, Projection: "KEYS_ONLY"}},
	}
	if diff := cmp.Diff(wantTable, got.Tables[0]); diff != "" {
		t.Errorf("events table (-want +got):\n%s", diff)
	}
	for _, q := range got.Queues {
		if q.ID != "EventQueue" {
			continue
		}
		want := map[string]string{
			"VisibilityTimeout": "360", "MessageRetentionPeriod": "1209600",
			"RedrivePolicy": `{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:DeadLetterQueue","maxReceiveCount":150}`,
		}
		if diff := cmp.Diff(want, q.Attributes); diff != "" {
			t.Errorf("event queue (-want +got):\n%s", diff)
		}
	}
}

const small = `
Parameters:
  Stage: {Type: String, Default: dev}
Conditions:
  IsProd: !Equals [!Ref Stage, prod]
  IsNotProd: !Not [{Condition: IsProd}]
Globals:
  Function:
    Timeout: 7
    Environment:
      Variables: {FROM_GLOBALS: g, OVERRIDDEN: g}
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      Environment:
        Variables:
          OVERRIDDEN: f
          SUB: !Sub "${Stage}-${AWS::Region}-${Q.Arn}-${!kept}"
          SUB_MAP: !Sub ["${x}/${Q}", {x: !Ref Stage}]
          LONG_SUB: {"Fn::Sub": "${Stage}"}
          JOIN: !Join ["-", [a, !Ref Stage, {"Ref": "AWS::StackName"}]]
          IF: !If [IsProd, many, few]
          GETATT: {"Fn::GetAtt": [Q, QueueName]}
          GETATT_TEXT: {"Fn::GetAtt": Q.QueueName}
          NONE: !If [IsNotProd, !Ref AWS::NoValue, x]
  Q:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: !Sub queue-${Stage}
      DelaySeconds: 3
  OnlyProd:
    Type: AWS::SQS::Queue
    Condition: IsProd
`

func TestIntrinsicFunctionsAreEvaluated(t *testing.T) {
	t.Parallel()
	got, err := Parse([]byte(small), Options{QueueURL: func(name string) string { return "url:" + name }})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"FROM_GLOBALS": "g", "OVERRIDDEN": "f",
		"SUB":     "dev-us-east-1-arn:aws:sqs:us-east-1:000000000000:queue-dev-${kept}",
		"SUB_MAP": "dev/url:queue-dev", "LONG_SUB": "dev", "JOIN": "a-dev-pushpull", "IF": "few",
		"GETATT": "queue-dev", "GETATT_TEXT": "queue-dev",
	}
	if diff := cmp.Diff(want, got.Functions[0].Environment); diff != "" {
		t.Errorf("environment (-want +got):\n%s", diff)
	}
	if got.Functions[0].Timeout != 7*time.Second {
		t.Errorf("timeout %v, want the one of Globals", got.Functions[0].Timeout)
	}
	wantQueues := []Queue{{ID: "Q", Name: "queue-dev", ARN: "arn:aws:sqs:us-east-1:000000000000:queue-dev", Attributes: map[string]string{"DelaySeconds": "3"}}}
	if diff := cmp.Diff(wantQueues, got.Queues); diff != "" {
		t.Errorf("queues (-want +got):\n%s", diff)
	}
}

func TestAParameterOverridesItsDefault(t *testing.T) {
	t.Parallel()
	got, err := Parse([]byte(small), Options{Parameters: map[string]string{"Stage": "prod"}})
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Queues) != 2 || got.Functions[0].Environment["IF"] != "many" {
		t.Errorf("queues %v, IF %q", got.Queues, got.Functions[0].Environment["IF"])
	}
	_, err = Parse([]byte(small), Options{Parameters: map[string]string{"Stge": "prod"}})
	if err == nil || !strings.Contains(err.Error(), "it has Stage") {
		t.Errorf("error %v, want one that names the parameters", err)
	}
}

func TestWhatIsNotUnderstoodIsNamed(t *testing.T) {
	t.Parallel()
	got, err := Parse([]byte(`
Mappings: {}
Resources:
  T:
    Type: AWS::SNS::Topic
  F:
    Type: AWS::Serverless::Function
    Properties:
      EphemeralStorage: {Size: 512}
      Events:
        Stream: {Type: Kinesis, Properties: {Stream: x}}
  Q:
    Type: AWS::SQS::Queue
    Properties:
      Surprise: 1
  D:
    Type: AWS::DynamoDB::Table
    Properties:
      StreamSpecification: {StreamViewType: NEW_IMAGE}
      TimeToLiveSpecification: {AttributeName: ttl, Enabled: true, Odd: 1}
`), Options{})
	if err != nil {
		t.Fatal(err)
	}
	all := strings.Join(got.Warnings, "\n")
	for _, want := range []string{
		"template.yaml:2: Mappings is not understood here",
		"template.yaml:5: T is of the type AWS::SNS::Topic",
		"F.EphemeralStorage is not", "F.Stream is an event of the type Kinesis",
		"Q.Surprise is not", "D.StreamSpecification is not", "D.TimeToLiveSpecification.Odd is not",
	} {
		if !strings.Contains(all, want) {
			t.Errorf("no warning %q in:\n%s", want, all)
		}
	}
	if len(got.Warnings) != 7 {
		t.Errorf("%d warnings, want 7:\n%s", len(got.Warnings), all)
	}
}

func TestAMistakeIsShownAtItsLine(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ give, want string }{
		"a reference to nothing":                 {"Resources:\n  Q:\n    Type: AWS::SQS::Queue\n    Properties:\n      DelaySeconds: !Ref Nope", "line 5: !Ref Nope"},
		"an intrinsic function that is not here": {"Resources:\n  Q:\n    Type: AWS::SQS::Queue\n    Properties:\n      DelaySeconds: !ImportValue x", "line 5: Fn::ImportValue is not understood"},
		"an attribute that is not here":          {"Resources:\n  Q:\n    Type: AWS::SQS::Queue\n    Properties:\n      DelaySeconds: !GetAtt Q.Nope", "line 5: !GetAtt Q.Nope"},
		"a condition that leads to itself":       {"Conditions:\n  A: !Not [{Condition: A}]\nResources:\n  Q:\n    Type: AWS::SQS::Queue\n    Condition: A", "leads back to itself"},
		"a parameter without a value":            {"Parameters:\n  P: {Type: String}\nResources: {}", "--parameter P="},
		"nothing at all":                         {"", "empty"},
		"no resources":                           {"Parameters: {}", "no Resources"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Parse([]byte(tt.give), Options{})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q in it", err, tt.want)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(small))
	f.Add([]byte("Resources: {Q: {Type: !Sub x}}"))
	f.Fuzz(func(_ *testing.T, data []byte) {
		_, _ = Parse(data, Options{}) // it must answer, whatever it is given
	})
}
