package provider

// ownToken is what a preset says for the secret of a scheme that asks for the
// source's verify_token: a preset knows no reference.
const ownToken = "{verify_token}"

// FillInToken puts the references of verify_token where a scheme of auth asks for
// it, in place. It reports whether one does.
func FillInToken(auth map[string]any, references any) (asked bool) {
	if list, ok := auth["secret"].([]any); ok && len(list) == 1 && list[0] == ownToken {
		auth["secret"], asked = references, true
	}
	schemes, _ := auth["of"].([]any)
	for _, one := range schemes {
		if scheme, ok := one.(map[string]any); ok {
			asked = FillInToken(scheme, references) || asked
		}
	}
	return asked
}
