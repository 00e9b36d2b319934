"""The harness of ``make agreement`` alone: so few sessions, with so much at once, say nothing of clocks."""

from benchmarks.agreement import LOSSES, compared, real_samples, virtual_sample


def test_sixty_sessions_of_each_cell_and_clock_are_measured_and_compared():
    real, late_s = real_samples(LOSSES, range(1000, 1060), gap_s=0.02, limit_s=8.0)
    assert min(late_s) >= 0.0
    for loss in LOSSES:
        virtual = virtual_sample(loss, range(60), limit_s=8.0)
        assert len(real[loss]) == 60
        # No packet is early, so no channel opens in less than five and a half round trips of 40 ms.
        assert min(*virtual, *real[loss]) >= 0.22
        row = compared(loss, "both", virtual, real[loss])
        assert row.counts == (60, 60)
        assert all(0.0 <= p <= 1.0 for p in (row.ks_p, row.rank_p))
