// Package pullsecret describes the Secret of each namespace: its owner, its content,
// and how it is written.
package pullsecret

import (
	"bytes"
	"encoding/json"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	acorev1 "k8s.io/client-go/applyconfigurations/core/v1"

	"ecr-cross-account-credential-provider/cmd/ecr-pull-secrets/internal/dockerconfig"
)

// Manager is the field manager that writes the Secrets, and the value of their
// label.
const Manager = "ecr-pull-secrets"

// These are the label and the annotations of a Secret.
const (
	// ManagedBy is the label that names the program that made the Secret. This program
	// does not change the Secrets of other programs.
	ManagedBy = "app.kubernetes.io/managed-by"
	// Owner is the annotation with the release that made the Secret, as NAMESPACE/NAME
	// of its Lease. A release does not change the Secrets of other releases.
	Owner = Manager + "/owner"
	// ExpiresAt is the annotation with the time at which the first token expires.
	ExpiresAt = Manager + "/expires-at"
	// Registries is the annotation with the expiry of each token, as a JSON object
	// by key.
	Registries = Manager + "/registries"
)

// Made reports whether a release of this program has written a Secret.
func Made(s *corev1.Secret) bool {
	return s.Labels[ManagedBy] == Manager && s.Type == corev1.SecretTypeDockerConfigJson
}

// Owned reports whether the owner's release has written a Secret. A Secret without the
// annotation is of an older version, so any release that selects its namespace may take it.
func Owned(s *corev1.Secret, owner string) bool {
	by, named := s.Annotations[Owner]
	return Made(s) && (!named || by == owner)
}

// Content is the required content of a Secret. Of returns one.
type Content struct {
	data        []byte
	annotations map[string]string
}

// Of returns the required content of a namespace's Secret. The content has all valid
// credentials. For other known keys it keeps the Secret's own credentials as long as
// they are valid. A new leader needs this, because it has no tokens while AWS does not
// answer. If it was the leader before, it may have old tokens. So the Secret's own
// credential also stays if it expires later than an overdue one. Of reports false if no
// credentials are valid.
//
// Credentials of one namespace's Secret are never copied to another namespace.
func Of(owner string, valid []dockerconfig.Credential, known func(key string) bool, has *corev1.Secret, now time.Time) (Content, bool, error) {
	all := slices.Clone(valid)
	for _, c := range kept(has, now) {
		i := slices.IndexFunc(all, func(a dockerconfig.Credential) bool { return a.Key == c.Key })
		switch {
		case i < 0 && known(c.Key):
			all = append(all, c)
		case i >= 0 && all[i].Overdue && c.Expires.After(all[i].Expires):
			all[i] = c
		}
	}
	if len(all) == 0 {
		return Content{}, false, nil
	}
	data, err := dockerconfig.Encode(all)
	if err != nil {
		return Content{}, false, err
	}
	first, ends := all[0].Expires, map[string]string{}
	for _, c := range all {
		ends[c.Key] = c.Expires.UTC().Format(time.RFC3339)
		if c.Expires.Before(first) {
			first = c.Expires
		}
	}
	registries, err := json.Marshal(ends)
	annotations := map[string]string{Owner: owner, ExpiresAt: first.UTC().Format(time.RFC3339), Registries: string(registries)}
	return Content{data, annotations}, true, err
}

// maxLife is the longest life of a token, even if an annotation claims more.
const maxLife = 12 * time.Hour

// kept returns the credentials of a Secret that are valid according to its
// annotation.
func kept(s *corev1.Secret, now time.Time) (valid []dockerconfig.Credential) {
	if s == nil {
		return nil
	}
	logins, ok := dockerconfig.Decode(s.Data[corev1.DockerConfigJsonKey])
	var ends map[string]time.Time
	if !ok || json.Unmarshal([]byte(s.Annotations[Registries]), &ends) != nil {
		return nil
	}
	for key, login := range logins {
		if end := ends[key]; end.After(now) && !end.After(now.Add(maxLife)) {
			valid = append(valid, dockerconfig.Credential{Key: key, Login: login, Expires: end})
		}
	}
	return valid
}

// In reports whether a Secret already has the content.
func (c Content) In(s *corev1.Secret) bool {
	for key, value := range c.annotations {
		if s.Annotations[key] != value {
			return false
		}
	}
	return bytes.Equal(s.Data[corev1.DockerConfigJsonKey], c.data)
}

// Configuration returns the Secret with the content, for server-side apply. If has is
// not nil, the API server writes the Secret only if it has not changed since has was
// read.
func (c Content) Configuration(namespace, name string, has *corev1.Secret) *acorev1.SecretApplyConfiguration {
	secret := acorev1.Secret(name, namespace).
		WithLabels(map[string]string{ManagedBy: Manager}).
		WithAnnotations(c.annotations).
		WithType(corev1.SecretTypeDockerConfigJson).
		WithData(map[string][]byte{corev1.DockerConfigJsonKey: c.data})
	if has != nil {
		secret.WithUID(has.UID).WithResourceVersion(has.ResourceVersion)
	}
	return secret
}
