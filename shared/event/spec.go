package event

// A Spec says where a source's events carry what identifies them. It is the
// same for both transports: for a webhook {body.…} is the request's body, for a
// poll it is one record of a page.
//
// Each field lists candidates; the first whose placeholders are all present
// wins. Placeholders: {body.data.object.id} (a path into the JSON body, or into
// the element where a body has several events), {root.path} (into the whole
// body), {parent.path} (into what is around the element), {header.X-GitHub-Event},
// {query.name}, and in Identity also {type}, {entity},
// {version} and {time}, which are the fields already found. The fields are found
// in the order type, time, entity, version, identity; each may use those before it.
// A value that is absent, null, empty, an object or an array counts as missing.
// Filters follow a bar: {header.ce-subject|unescape}, lower, upper, signed (of a
// JSON Web Token what is signed); and
// {body.message|key} is the text "message" where the body has such a member.
type Spec struct {
	// Identity is what makes two arrivals the same event. Default: {entity}@{version} where both are declared, else a hash of the body.
	Identity Choices `json:"identity,omitempty"`
	// Type is what happened, in the provider's words. Default: the name of the source.
	Type Choices `json:"type,omitempty"`
	// Time is when it happened: RFC 3339, or a Unix time in seconds or milliseconds.
	Time Choices `json:"time,omitempty"`
	// Entity is what the event is about.
	Entity Choices `json:"entity,omitempty"`
	// Version is the version of the entity: a time, a number, or any text that changes with it.
	Version Choices `json:"version,omitempty"`
	// Volatile are the paths in a body that change with each attempt to deliver it, such as attempt_number: two bodies of one identity that differ in nothing else are no conflict.
	Volatile []string `json:"volatile,omitempty"`
	// Map renames the values of a placeholder before it is used: {"body.type": {"IssuesEvent": "issues"}}.
	Map map[string]map[string]string `json:"map,omitempty"`
}

// Choices are candidates in order of preference. In YAML a single text may
// stand instead of a list, and a text instead of {value: …}.
type Choices []Choice

// A Choice is one candidate: a template, used only for the types it lists.
type Choice struct {
	// Value is a template such as "{type}:{body.issue.node_id}".
	Value string `json:"value"`
	// For limits the candidate to events of these types; empty means all.
	For []string `json:"for,omitempty"`
}
