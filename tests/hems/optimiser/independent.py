"""The optimum of a home by cvxpy, written from the equations of docs/hems/optimiser.md.

Nothing is shared with the optimiser but the data classes: other variables (net power, one start
time for each run, shortfalls as positive parts), binaries everywhere.
"""

import cvxpy as cp
import numpy as np

WEIGHTS = {
    "comfort": 50.0,
    "water": 20.0,
    "ready": 20.0,
    "firm": 100.0,
    "effort": 3.0,
    "floor": 20.0,
    "appliance": 100.0,
    "grid": 1e4,
}


class Optimum:
    def __init__(self, home, forecast):
        self.home, self.f = home, forecast
        self.n, self.h = len(forecast.price_import_per_kwh), forecast.dt_h
        both = np.abs(np.r_[forecast.price_import_per_kwh, forecast.price_export_per_kwh])
        self.ref = both.max()
        self.end_price = max(forecast.price_import_per_kwh.mean(), 0.0)
        self.cost, self.limits = 0.0, []
        self.consumed = cp.Constant(forecast.base_load_kw)
        self.generated = cp.Constant(np.zeros(self.n))
        self.batteries = []

    def solve(self, gap=1e-7):
        for part in ("vehicles", "heaters", "tanks", "generators"):
            for device in getattr(self.home, part):
                getattr(self, "_" + part)(device)
        self._appliances()
        if self.home.pv is not None:
            pv = cp.Variable(self.n)
            available = self.f.pv_available_kw
            self.limits += [pv <= available, pv >= available * (not self.home.pv.curtailable)]
            self.generated += pv
        for battery in self.home.batteries:
            self._battery(battery)
        self._permissions()
        self._grid()
        problem = cp.Problem(cp.Minimize(self.cost), self.limits)
        options = {"mip_rel_gap": gap, "mip_abs_gap": 1e-9, "threads": 1}
        value = problem.solve(solver="HIGHS", **options)
        assert problem.status == "optimal", problem.status
        return float(value)

    def _pair(self, charge_kw, discharge_kw):
        charge, discharge = cp.Variable(self.n, nonneg=True), cp.Variable(self.n, nonneg=True)
        mode = cp.Variable(self.n, boolean=True)
        self.limits += [
            charge <= cp.multiply(charge_kw, mode),
            discharge <= cp.multiply(discharge_kw, 1 - mode),
        ]
        return charge, discharge

    def _battery(self, x):
        one = np.ones(self.n)
        charge, discharge = self._pair(x.p_charge_max_kw * one, x.p_discharge_max_kw * one)
        start = x.soc_init * x.capacity_kwh
        energy = start + self.h * cp.cumsum(x.eta_charge * charge - discharge / x.eta_discharge)
        self.limits += [
            energy >= x.soc_min * x.capacity_kwh,
            energy <= x.soc_max * x.capacity_kwh,
        ]
        self.cost += self.h * x.wear_per_kwh * cp.sum(charge + discharge)
        missing = start - energy[-1]
        self.cost += self.end_price * cp.maximum(missing / x.eta_charge, missing * x.eta_discharge)
        self.batteries.append((x, charge, discharge))

    def _vehicles(self, x):
        plugged = x.plugged_in.astype(float)
        charge, discharge = self._pair(x.charger_kw * plugged, x.v2g_kw * plugged)
        start = x.soc_init * x.capacity_kwh
        energy = cp.Variable(self.n)
        floor, top = x.soc_floor * x.capacity_kwh, max(x.soc_max * x.capacity_kwh, start)
        wished, weight = np.full(self.n, floor), np.full(self.n, WEIGHTS["floor"] * self.h)
        for step, target in x.departures:
            if target >= wished[step]:
                wished[step], weight[step] = target, WEIGHTS["firm" if x.firm else "effort"]
        trip_weight = weight.sum() * self.ref + 4 * (
            self.ref / x.eta_charge + self.end_price / x.eta_charge
        )
        before = cp.hstack([start, energy[:-1]])
        short, empty = cp.Variable(self.n, nonneg=True), cp.Variable(self.n, boolean=True)
        left = before - x.trip_kwh + short  # short is (trip - before)+ exactly, by a binary
        big = x.capacity_kwh + x.trip_kwh
        self.limits += [left >= 0, short <= cp.multiply(big * (x.trip_kwh > 0), empty)]
        self.limits.append(left <= cp.multiply(big, 1 - empty))
        self.cost += trip_weight * cp.sum(short)
        moved = x.eta_charge * charge - discharge / x.eta_discharge
        self.limits.append(energy == left + self.h * moved)
        self.limits += [energy >= 0, energy <= top]
        self.cost += self.ref * (weight @ cp.pos(wished - energy))
        self.cost += self.end_price / x.eta_charge * (start - energy[-1])
        self.consumed += charge
        self.generated += discharge

    def _cop(self, x):
        if x.carnot_fraction is None:
            return np.ones(self.n)
        lift = np.maximum(x.supply_temp_c - self.f.temp_out_c, 1.0)
        return np.clip(x.carnot_fraction * (x.supply_temp_c + 273.15) / lift, 1.0, 6.0)

    def _node(self, x, *, ua, c, around, gain, low, high, below, above):
        power = cp.Variable(self.n, nonneg=True)
        self.limits.append(power <= x.p_max_kw)
        cop = self._cop(x)
        decay = np.exp(-ua * self.h / c)
        per_kw = (1 - decay) / ua if ua > 0 else self.h / c
        lag = np.subtract.outer(np.arange(self.n), np.arange(self.n))
        memory = np.where(lag >= 0, decay ** np.maximum(lag, 0), 0.0)
        alone = decay ** np.arange(1, self.n + 1) * x.temp_init_c
        alone = alone + memory @ ((1 - decay) * around + per_kw * gain)
        temp = alone + (memory * (per_kw * cop)) @ power
        self.cost += self.ref * (below @ cp.pos(low - temp) + above @ cp.pos(temp - high))
        self.cost += self.end_price * c / cop[-1] * (x.temp_init_c - temp[-1])
        self.consumed += power

    def _heaters(self, x):
        weight = np.full(self.n, WEIGHTS["comfort"] * self.h)
        gain = x.solar_gain_m2 * self.f.ghi_w_per_m2 / 1000 + x.internal_gain_kw
        self._node(
            x,
            ua=x.ua_kw_per_k,
            c=x.c_kwh_per_k,
            around=self.f.temp_out_c,
            gain=gain,
            low=x.temp_min_c,
            high=x.temp_max_c,
            below=weight,
            above=weight,
        )

    def _tanks(self, x):
        weight = np.full(self.n, WEIGHTS["water"] * self.h)
        low, below = np.full(self.n, x.temp_min_c), weight.copy()
        for step, temp in x.ready:
            if temp >= low[step]:
                low[step], below[step] = temp, WEIGHTS["ready"]
        self._node(
            x,
            ua=x.loss_kw_per_k,
            c=x.volume_l * 4.186 / 3600,
            around=np.full(self.n, x.temp_room_c),
            gain=-x.draw_kwh / self.h,
            low=low,
            high=np.full(self.n, x.temp_max_c),
            below=below,
            above=weight,
        )

    def _generators(self, x):
        allowed = x.allowed.astype(float)
        output, on = cp.Variable(self.n, nonneg=True), cp.Variable(self.n, boolean=True)
        self.limits += [output <= x.p_max_kw * on, output >= x.p_min_kw * on, on <= allowed]
        if not x.can_stop:
            self.limits.append(on == allowed)
        pieces = 8 if x.fuel_quadratic_per_kw2h > 0 else 1
        ends = np.linspace(x.p_min_kw, x.p_max_kw, pieces + 1)
        fuel = x.fuel_per_kwh * ends + x.fuel_quadratic_per_kw2h * ends**2
        cost = cp.Variable(self.n, nonneg=True)
        for k in range(pieces):
            slope = (fuel[k + 1] - fuel[k]) / (ends[k + 1] - ends[k])
            # Homogeneous in on/off, so zero when it stands still.
            self.limits.append(cost >= slope * output + (fuel[k] - slope * ends[k]) * on)
        self.cost += self.h * cp.sum(cost)
        self.generated += output

    def _appliances(self):
        starts = {}
        for x in self.home.appliances:
            free = np.zeros(self.n, bool)
            free[max(x.earliest, 0) : x.latest] = True
            if x.allowed is not None:
                free &= x.allowed
            later = x.latest > self.n
            step_cost = self.end_price if later else WEIGHTS["appliance"] * self.ref
            step_cost *= x.power_kw * self.h
            if x.interruptible:
                on = cp.Variable(self.n, boolean=True)
                self.limits += [on <= free, cp.sum(on) <= x.runs * x.duration]
                self.cost += step_cost * (x.runs * x.duration - cp.sum(on))
                self.consumed += x.power_kw * on
                continue
            times, served = [], []
            for run in range(x.runs):
                start = cp.Variable(self.n, boolean=True)
                fits = [
                    t + x.duration <= self.n and free[t : t + x.duration].all()
                    for t in range(self.n)
                ]
                self.limits.append(start <= np.array(fits))
                cover = np.zeros((self.n, self.n))
                for t in range(self.n):
                    cover[t : t + x.duration, t] = 1
                self.consumed += x.power_kw * (cover @ start)
                served.append(cp.sum(start))
                times.append(np.arange(self.n) @ start)
                self.limits.append(served[-1] <= 1)
                self.cost += step_cost * x.duration * (1 - served[-1])
                if run:
                    self.limits.append(served[-1] <= served[-2])
                    self._orders(times[-2], x.duration, times[-1], served[-1])
            starts[x.name] = (x, times, served)
        for x, times, served in starts.values():
            if x.after is None:
                continue
            before, own_times, own_served = starts[x.after]
            for run in range(x.runs):
                if run >= before.runs:
                    self.limits.append(served[run] == 0)
                    continue
                self.limits.append(served[run] <= own_served[run])
                self._orders(own_times[run], before.duration, times[run], served[run])

    def _orders(self, first, duration, second, served):
        self.limits.append(second >= first + duration - 2 * self.n * (1 - served))

    def _permissions(self):
        bound = [d for x, _, d in self.batteries if not x.discharge_to_grid]
        if bound:
            self.limits.append(sum(bound) <= self.consumed)
        bound = [c for x, c, _ in self.batteries if not x.charge_from_grid]
        if bound:
            self.limits.append(sum(bound) <= self.generated)

    def _grid(self):
        net = self.consumed - self.generated + sum(c - d for _, c, d in self.batteries)
        bought, sold = cp.Variable(self.n, nonneg=True), cp.Variable(self.n, nonneg=True)
        way = cp.Variable(self.n, boolean=True)
        self.limits += [bought - sold == net, bought <= 200 * way, sold <= 200 * (1 - way)]
        f = self.f
        self.cost += self.h * (f.price_import_per_kwh @ bought - f.price_export_per_kwh @ sold)
        over = cp.pos(net - self.home.import_limit_kw) + cp.pos(-net - self.home.export_limit_kw)
        self.cost += self.h * WEIGHTS["grid"] * self.ref * cp.sum(over)
