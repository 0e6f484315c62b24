package verify

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/seed4eca3270/verify/internal/sid"
	"github.com/seed4eca3270/verify/store"
)

// A Service is a set of settings and all that is verified under them: usually
// one per application, sometimes one per kind of use. Everything else belongs to
// a service and is reached through its SID.
type Service struct {
	SID        string // VA and 32 hexadecimal digits
	AccountSID string
	ServiceParams
	DateCreated time.Time
	DateUpdated time.Time
}

// ServiceParams are the settings of a service. Every field but FriendlyName may
// be left at zero. The JSON form is the stored one.
type ServiceParams struct {
	FriendlyName                   string           `json:"friendly_name"`                          // 1 to 32 letters, digits, spaces, - and _, with at most 4 digits; shown to users
	CodeLength                     int              `json:"code_length"`                            // digits of a verification code, 4 to 10; zero: 6
	LookupEnabled                  bool             `json:"lookup_enabled,omitempty"`               // look the phone number up with every verification
	SkipSMSToLandlines             bool             `json:"skip_sms_to_landlines,omitempty"`        // needs LookupEnabled
	DTMFInputRequired              bool             `json:"dtmf_input_required,omitempty"`          // a called person must press a key before hearing the code
	TTSName                        string           `json:"tts_name,omitempty"`                     // voice of calls, at most 64 characters
	PSD2Enabled                    bool             `json:"psd2_enabled,omitempty"`                 // codes are bound to an amount and a payee
	DoNotShareWarningEnabled       bool             `json:"do_not_share_warning_enabled,omitempty"` // SMS ends with a warning not to share the code
	CustomCodeEnabled              bool             `json:"custom_code_enabled,omitempty"`          // callers may choose the code
	Push                           PushSettings     `json:"push,omitzero"`
	TOTP                           TOTPSettings     `json:"totp,omitzero"`
	DefaultTemplateSID             string           `json:"default_template_sid,omitempty"` // HJ…
	WhatsApp                       WhatsAppSettings `json:"whatsapp,omitzero"`
	Passkeys                       PasskeySettings  `json:"passkeys,omitzero"`
	VerifyEventSubscriptionEnabled bool             `json:"verify_event_subscription_enabled,omitempty"` // events of verifications
}

// PushSettings of a service.
type PushSettings struct {
	IncludeDate      bool   `json:"include_date,omitempty"`       // challenges show when they were made
	APNCredentialSID string `json:"apn_credential_sid,omitempty"` // CR…
	FCMCredentialSID string `json:"fcm_credential_sid,omitempty"` // CR…
}

// TOTPSettings are what new TOTP factors of a service start from. A factor keeps
// what it was made with.
type TOTPSettings struct {
	Issuer     string `json:"issuer,omitempty"`      // shown in authenticator apps, at most 64 characters; empty: the service's FriendlyName
	TimeStep   int    `json:"time_step,omitempty"`   // seconds, 20 to 60; zero: 30
	CodeLength int    `json:"code_length,omitempty"` // digits, 3 to 8; zero: 6
	Skew       *int   `json:"skew,omitempty"`        // steps accepted to each side of the current one, 0 to 2; nil: 1
}

// WhatsAppSettings name a service's own WhatsApp sender.
type WhatsAppSettings struct {
	MsgServiceSID string `json:"msg_service_sid,omitempty"` // MG…
	From          string `json:"from,omitempty"`            // an E.164 number; kept with the prefix "whatsapp:"
}

// PasskeySettings of a service.
type PasskeySettings struct {
	RelyingPartyID          string   `json:"relying_party_id,omitempty"`         // a domain
	RelyingPartyName        string   `json:"relying_party_name,omitempty"`       // at most 64 characters
	RelyingPartyOrigins     []string `json:"relying_party_origins,omitempty"`    // at most 20: https origins, or android:apk-key-hash:…
	AuthenticatorAttachment string   `json:"authenticator_attachment,omitempty"` // platform, cross-platform, any or empty
	DiscoverableCredentials string   `json:"discoverable_credentials,omitempty"` // required, preferred, discouraged or empty
	UserVerification        string   `json:"user_verification,omitempty"`        // required, preferred, discouraged or empty
}

// CreateService makes a service. It fails with ErrInvalid (20001, 60200) if a
// setting is missing or out of range.
func (e *Engine) CreateService(ctx context.Context, p ServiceParams) (Service, error) {
	settings, err := p.encode()
	if err != nil {
		return Service{}, err
	}
	now := e.now()
	row := store.Service{Settings: settings, CreatedAt: store.Micros(now), UpdatedAt: store.Micros(now)}
	err = e.insert(ctx, now, func(id sid.SID) (store.Func, error) {
		row.ID, row.Tail = id.Key, id.Tail
		return func(ctx context.Context, q *store.Queries) error {
			return inserted(q.InsertService(ctx, store.InsertServiceParams{
				ID: row.ID, Tail: row.Tail, Settings: row.Settings, CreatedAt: row.CreatedAt,
			}))
		}, nil
	})
	if err != nil {
		return Service{}, err
	}
	return e.service(row)
}

// GetService returns a service, or ErrNotFound.
func (e *Engine) GetService(ctx context.Context, serviceSID string) (Service, error) {
	row, err := e.serviceRow(ctx, serviceSID)
	if err != nil {
		return Service{}, err
	}
	return e.service(row)
}

func (e *Engine) serviceRow(ctx context.Context, serviceSID string) (row store.Service, err error) {
	id, ok := sid.Parse("VA", serviceSID)
	if !ok {
		return row, errNotFound()
	}
	err = e.read(ctx, func(ctx context.Context, q *store.Queries) (err error) {
		row, err = q.GetService(ctx, store.GetServiceParams{ID: id.Key, Tail: id.Tail})
		return err
	})
	return row, err
}

// ListServices returns a page of the services, oldest first. It fails with
// ErrInvalid (60306) for a page size or token that is none.
func (e *Engine) ListServices(ctx context.Context, p PageParams) (Page[Service], error) {
	l, err := e.listing(p, false, []byte("services"))
	if err != nil {
		return Page[Service]{}, err
	}
	var rows []store.Service
	err = e.read(ctx, func(ctx context.Context, q *store.Queries) (err error) {
		if l.up {
			rows, err = q.ListServices(ctx, store.ListServicesParams{After: l.from, PageSize: l.limit()})
		} else {
			rows, err = q.ListServicesDescending(ctx, store.ListServicesDescendingParams{Before: l.from, PageSize: l.limit()})
		}
		return err
	})
	if err != nil {
		return Page[Service]{}, err
	}
	return page(e, l, rows, func(r store.Service) int64 { return r.ID }, e.service)
}

// Services yields all services, oldest first.
func (e *Engine) Services(ctx context.Context) iter.Seq2[Service, error] {
	return walk(func(p PageParams) (Page[Service], error) { return e.ListServices(ctx, p) })
}

// UpdateService changes settings of a service. It fails with ErrNotFound, with
// ErrInvalid as CreateService does, and with ErrConflict if others kept changing
// the service ten times over. Factors made before keep what they were made with.
func (e *Engine) UpdateService(ctx context.Context, serviceSID string, u ServiceUpdate) (Service, error) {
	for range updateTries {
		row, err := e.serviceRow(ctx, serviceSID)
		if err != nil {
			return Service{}, err
		}
		svc, err := e.service(row)
		if err != nil {
			return Service{}, err
		}
		if row.Settings, err = u.Apply(svc.ServiceParams).encode(); err != nil {
			return Service{}, err
		}
		row.UpdatedAt = store.Micros(e.now())
		var rows int64
		err = e.write(ctx, func(ctx context.Context, q *store.Queries) (err error) {
			rows, err = q.UpdateService(ctx, store.UpdateServiceParams{
				Settings: row.Settings, UpdatedAt: row.UpdatedAt, ID: row.ID, Tail: row.Tail, Revision: row.Revision,
			})
			return err
		})
		if err != nil {
			return Service{}, err
		}
		if rows == 1 {
			return e.service(row)
		}
	}
	return Service{}, errChangedMeanwhile()
}

// updateTries is how often an update starts over because somebody else changed
// the record between its reading and its writing.
const updateTries = 10

func errChangedMeanwhile() *Error {
	return refuse(ErrConflict, CodeChangedMeanwhile, "The record was changed meanwhile")
}

// DeleteService deletes a service and everything below it, or answers
// ErrNotFound. From its first step on nothing of the service can be reached; what
// it owned is then removed in small steps beside other calls. If ctx ends before
// all is removed the call fails with its error, and Sweep removes the rest.
func (e *Engine) DeleteService(ctx context.Context, serviceSID string) error {
	id, ok := sid.Parse("VA", serviceSID)
	if !ok {
		return errNotFound()
	}
	now := e.now()
	err := e.write(ctx, func(ctx context.Context, q *store.Queries) error {
		rows, err := q.BuryService(ctx, store.BuryServiceParams{Now: store.Micros(now), ID: id.Key, Tail: id.Tail})
		if err == nil && rows == 0 {
			err = errNotFound()
		}
		return err
	})
	if err != nil {
		return err
	}
	return e.clearService(ctx, id.Key)
}

// clearService removes what a buried service owned, then the service.
func (e *Engine) clearService(ctx context.Context, service int64) error {
	for {
		var entities []store.Entity
		err := e.read(ctx, func(ctx context.Context, q *store.Queries) (err error) {
			entities, err = q.ListEntities(ctx, store.ListEntitiesParams{ServiceID: service, After: -1, PageSize: 100})
			return err
		})
		if err != nil {
			return err
		}
		if len(entities) == 0 {
			break
		}
		for _, entity := range entities {
			// Gone already when another process clears the same service.
			if err := e.removeEntity(ctx, entity.ID); err != nil && !errors.Is(err, ErrNotFound) {
				return err
			}
			if err := e.store.Breathe(ctx); err != nil {
				return outward(err)
			}
		}
	}
	return e.write(ctx, func(ctx context.Context, q *store.Queries) error {
		_, err := q.DeleteBuriedService(ctx, service)
		return err
	})
}

func (e *Engine) service(row store.Service) (Service, error) {
	svc := Service{
		SID:         sid.SID{Key: row.ID, Tail: row.Tail}.String("VA"),
		AccountSID:  e.accountSID,
		DateCreated: store.Time(row.CreatedAt),
		DateUpdated: store.Time(row.UpdatedAt),
	}
	err := decode(row.Settings, &svc.ServiceParams)
	return svc, err
}
