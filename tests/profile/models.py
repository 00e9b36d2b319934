"""Every model of a link, as a profile has it."""

LOSSES = [
    "'3%'",
    "{ model = 'bernoulli', loss = '3%', only = { match = ['rtp'], flow = [1], nth = [1, 3] } }",
    "{ model = 'gilbert-elliott', loss = '5%', burst = 4 }",
    "{ model = 'gilbert-elliott', loss = '5%', burst = 4, compat = 'libwebrtc' }",
    "{ model = 'gilbert-elliott', good = '20s', bad = '1.5s', loss_bad = '90%', loss_good = '1%' }",
    "{ model = 'four-state', p13 = '2%', p31 = '30%', p32 = '20%', p23 = '40%', p14 = '0.5%' }",
    "{ model = 'four-state', p13 = '2%' }",
    "{ model = 'correlated', loss = '3%', correlation = '25%' }",
    "{ model = 'correlated', loss = '3%', correlation = '25%', compat = 'netem' }",
    "{ model = 'scripted', drop = [3, 7] }",
    "{ model = 'scripted', pattern = '..x.' }",
]
DELAYS = [
    "'40ms'",
    "{ model = 'constant', mean = '40ms', only = { larger = '100B', smaller = '1kB' } }",
    "{ model = 'uniform', mean = '40ms', jitter = '10ms', correlation = '50%' }",
    "{ model = 'normal', mean = '40ms', deviation = '10ms', reorder = true }",
    "{ model = 'pareto', mean = '40ms', deviation = '10ms', shape = 2.5 }",
    "{ model = 'pareto', mean = '40ms', deviation = '10ms', correlation = 0.3, only = { match = ['rtp'] } }",
    "{ model = 'normal', mean = '4s', deviation = '1s', correlation = 1, reorder = true, compat = 'netem' }",
    "{ model = 'pareto', mean = '40ms', deviation = '10ms', reorder = true, compat = 'netem' }",
    "{ model = 'pareto-normal', mean = '40ms', deviation = '10ms', reorder = true, compat = 'netem' }",
    "{ model = 'uniform', mean = '40ms', jitter = '10ms', reorder = true, compat = 'netem' }",
    "{ model = 'pareto-normal', mean = '40ms', deviation = '10ms' }",
    "{ model = 'empirical', samples = ['12ms', '15ms', '9ms'], reorder = true }",
    "{ model = 'rfc8868', mean = '50ms', rate = '1Mbit/s' }",
    "{ model = 'rfc8868', mean = '50ms', deviation = '4ms', reorder = true }",
]
RATES = [
    "rate = '2Mbit/s'",
    "rate = '2Mbit/s'\nqueue = '100packets'",
    "rate = '2Mbit/s'\nqueue = '300ms'",
    "rate = '2Mbit/s'\nqueue = '9kB'\naqm = 'codel'",
    "rate = '2Mbit/s'\naqm = { model = 'codel', target = '10ms', interval = '200ms' }",
    "rate = { model = 'token-bucket', rate = '1Mbit/s', burst = '15kB' }\nqueue = '50packets'",
    "rate = { model = 'token-bucket', rate = '1Mbit/s', burst = '15kB', police = true }",
    "rate = { model = 'token-bucket', rate = '1Mbit/s', burst = '3kB', only = { match = ['rtp'] } }",
    "rate = { model = 'trace', ms = [1, 5, 5, 9] }\nqueue = '20packets'",
]
DAMAGE = [
    "duplicate = { chance = '1%', only = { match = ['stun'] } }",
    "corrupt = { chance = '1%' }",
    "corrupt = { bit_chance = '0.001%' }",
    "mtu = '1280B'",
    "mtu = { size = '1280B', only = { match = ['dtls'] } }",
    "delay = '20ms'\nreorder = '25%'",
    "delay = '20ms'\nreorder = { chance = '50%', gap = 5 }",
    "spike = { every = '15s', for = '200ms', extra = '80ms', at = '3s', reorder = true }",
    "pause = { every = '2s', for = '300ms' }",
    "slot = { min = '2ms', max = '10ms', packets = 16, bytes = '20kB' }",
    "slot = { min = '10ms' }",
]
CHANGES = [
    "rate = '2Mbit/s'\n[[link.change]]\nat = '5s'\nrate = '1Mbit/s'\nramp = '2s'\nqueue = '100ms'",
    "repeat='10s'\n[[link.change]]\nat='5s'\nloss='10%'\nramp='2s'\n[[link.change]]\nat='8s'\nloss=0",
    "delay = '20ms'\njitter = '5ms'\n[[link.change]]\nat = '5s'\ndelay = '50ms'\ndirection = 'up'",
    "[[link.change]]\nat = '5s'\nmtu = '1200B'\nloss = { model = 'scripted', pattern = 'x.' }",
    "rate = '2Mbit/s'\naqm = 'codel'\n[[link.change]]\nat = '5s'\nrate = '500kbit/s'",
    "delay = '20ms'\n[[link.change]]\nat = '5s'\nreorder = '20%'\nduplicate = '5%'\ncorrupt = '5%'",
    "[[link.change]]\nat = '5s'\nrate = '500kbit/s'\nqueue = '10packets'",
]
LINKS = [
    *(f"loss = {value}" for value in LOSSES),
    *(f"delay = {value}" for value in DELAYS),
    *RATES,
    *DAMAGE,
    *CHANGES,
]
FAULTS = [
    "kind = 'pause'\nat = '1s'\nfor = '2s'",
    "kind = 'pause'\nat = '1s'\nfor = '2s'\nmatch = ['rtp']\ndirection = 'down'",
    "kind = 'block'\nat = '1s'\nfor = '2s'\nlarger = '1200B'",
    "kind = 'block'\nat = '1s'\nfor = '2s'\nmatch = ['dtls.handshake']\nnth = [1, 2]",
    "kind = 'block'\nat = '1s'\nfor = '2s'\nmatch = ['stun.consent']\nsmaller = '100B'",
]
MODELS = [
    *(f"[link]\n{link}\n" for link in LINKS),
    *(f"[[fault]]\n{fault}\n" for fault in FAULTS),
]
