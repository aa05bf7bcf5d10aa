package provider

import "pushpull/shared/config"

// Shares tells whether a resource's records become the events that the webhook
// brings, under the same identities. A poll that adapts to activity says that its
// do not.
func (p Preset) Shares(resource config.Poll) bool {
	return p.Webhook != nil && resource.Adapt != "activity"
}
